/** The published client, told where to ask. */
import twilio from 'twilio'
import { stop } from './settings.ts'

export interface Where {
  readonly accountSid: string
  readonly authToken: string
  /** Parley's address, no slash at its end. */
  readonly apiUrl: string
}

export type Client = twilio.Twilio

/** This is all that tells a back end for Parley from a back end for Twilio. */
export const openClient = ({ accountSid, authToken, apiUrl }: Where): Client => {
  const client = twilio(accountSid, authToken)
  client.flexApi.baseUrl = client.chat.baseUrl = client.taskrouter.baseUrl = apiUrl
  return client
}

/** Where the chat SDK connects: its `Twilsock.uri`. */
export const socketUrl = (url: string): string => `${url.replace(/^http/, 'ws')}/v3/wsconnect`

export interface Key {
  readonly sid: string
  readonly secret: string
}

export interface TokenWanted {
  readonly accountSid: string
  readonly key: Key
  readonly chatServiceSid: string
  readonly identity: string
  /** Seconds. */
  readonly ttl: number
}

/** An access token, made as for Twilio: no request, and nothing to change. */
export const mintToken = ({ accountSid, key, chatServiceSid, identity, ttl }: TokenWanted): string => {
  const { AccessToken } = twilio.jwt
  const token = new AccessToken(accountSid, key.sid, key.secret, { identity, ttl })
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: chatServiceSid }))
  return token.toJwt()
}

/** For what a start asks: a refusal or silence ends the program with what to look at. */
export const orStop = async <T>(asked: Promise<T>, { apiUrl }: Where): Promise<T> => {
  try {
    return await asked
  } catch (fault) {
    const { status, code, message } = fault as { status?: number; code?: number | string; message: string }
    if (status === 401)
      return stop(`${apiUrl} does not know TWILIO_ACCOUNT_SID with this TWILIO_AUTH_TOKEN (${message}).`)
    if (status === undefined)
      return stop(
        `No answer from ${apiUrl} (${code ?? message}). Is it running? TWILIO_API_URL says where it is.`,
      )
    return stop(`${apiUrl} refused: ${message} (status ${status}, code ${code}).`)
  }
}

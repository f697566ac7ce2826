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

/** The account's own client. This is all that tells a program for Parley from a program for Twilio. */
export const openClient = ({ accountSid, authToken, apiUrl }: Where): Client => {
  const client = twilio(accountSid, authToken)
  client.flexApi.baseUrl = client.chat.baseUrl = client.taskrouter.baseUrl = apiUrl
  return client
}

/** A client that acts as whom an access token names. */
export const openClientWith = (accessToken: string, { accountSid, apiUrl }: Where): Client => {
  const client = twilio('token', accessToken, { accountSid })
  client.chat.baseUrl = apiUrl
  return client
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

/** What the environment says, read once. What is missing or wrong ends the program with a sentence that helps. */
import type { Key, Where } from './twilio.ts'

export interface Settings extends Where {
  /** Signs access tokens, and the visitors' cookies. */
  readonly key: Key
  /** Where a browser finds Parley, no slash at its end. */
  readonly chatUrl: string
  /** How long an access token is good, in seconds. */
  readonly tokenTtl: number
}

const WHAT_IT_IS = {
  TWILIO_ACCOUNT_SID: 'the account SID: AC and 32 hex digits',
  TWILIO_AUTH_TOKEN: 'its auth token',
  TWILIO_API_KEY: 'the SID of an API key: SK and 32 hex digits',
  TWILIO_API_SECRET: 'the secret of that key; access tokens are signed with it',
}

type Env = Readonly<Record<string, string | undefined>>

export const readSettings = (env: Env): Settings => {
  const missing = Object.entries(WHAT_IT_IS).filter(([name]) => !env[name])
  if (missing.length > 0)
    stop(
      `Not set:\n${missing.map((it) => `  ${it.join('   ')}`).join('\n')}\nParley prints them when it starts.`,
    )
  const apiUrl = address('TWILIO_API_URL', env.TWILIO_API_URL || 'http://127.0.0.1:8080')
  return {
    accountSid: env.TWILIO_ACCOUNT_SID as string,
    authToken: env.TWILIO_AUTH_TOKEN as string,
    key: { sid: env.TWILIO_API_KEY as string, secret: env.TWILIO_API_SECRET as string },
    apiUrl,
    chatUrl: address('CHAT_URL', env.CHAT_URL || apiUrl),
    tokenTtl: whole('TOKEN_TTL', env.TOKEN_TTL || '3600', 86_400),
  }
}

export const readPort = (env: Env): number => whole('PORT', env.PORT || '3000', 65_535)

const whole = (name: string, value: string, most: number): number => {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1 || number > most)
    stop(`${name}=${value} is not a whole number from 1 to ${most}.`)
  return number
}

const address = (name: string, value: string): string => {
  if (!/^https?:\/\/./.test(value) || !URL.canParse(value))
    stop(`${name}=${value} is not an address that starts with http:// or https://.`)
  return value.replace(/\/+$/, '')
}

/** Ends the program: the sentence is for whoever started it. */
export const stop = (sentence: string): never => {
  console.error(sentence)
  process.exit(1)
}

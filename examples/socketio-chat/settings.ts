/** What the environment says, read once. What is missing or wrong ends the program with a sentence that helps. */
import type { Where } from './twilio.ts'

export interface Settings extends Where {
  readonly port: number
  /** Where the webhooks find us: no slash at its end. */
  readonly webhookBaseUrl: string
  /** Found or made where it is not given. */
  readonly flexFlowSid: string | undefined
  /** The one of the Flex Configuration where it is not given. */
  readonly chatServiceSid: string | undefined
}

const WHAT_IT_IS = {
  TWILIO_ACCOUNT_SID: 'the account SID: AC and 32 hex digits',
  TWILIO_AUTH_TOKEN: 'its auth token; webhooks are signed with it too',
  TWILIO_API_KEY: 'the SID of an API key: SK and 32 hex digits',
  TWILIO_API_SECRET: 'the secret of that key; access tokens are signed with it',
}

type Env = Readonly<Record<string, string | undefined>>

/** The named values, all of them. */
export const required = <N extends keyof typeof WHAT_IT_IS>(
  env: Env,
  names: readonly N[],
): Record<N, string> => {
  const missing = names.filter((name) => !env[name])
  if (missing.length > 0)
    stop(
      `Not set:\n${missing.map((it) => `  ${it}   ${WHAT_IT_IS[it]}`).join('\n')}\nParley prints them when it starts.`,
    )
  return Object.fromEntries(names.map((name) => [name, env[name]])) as Record<N, string>
}

export const readWhere = (env: Env): Where => {
  const given = required(env, ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'])
  return {
    accountSid: given.TWILIO_ACCOUNT_SID,
    authToken: given.TWILIO_AUTH_TOKEN,
    apiUrl: address('TWILIO_API_URL', env.TWILIO_API_URL || 'http://127.0.0.1:8080'),
  }
}

export const readSettings = (env: Env): Settings => {
  const port = Number(env.PORT || 3000)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    stop(`PORT=${env.PORT} is not a port from 1 to 65535.`)
  return {
    ...readWhere(env),
    port,
    webhookBaseUrl: address('WEBHOOK_BASE_URL', env.WEBHOOK_BASE_URL || `http://127.0.0.1:${port}`),
    flexFlowSid: env.FLEX_FLOW_SID || undefined,
    chatServiceSid: env.FLEX_CHAT_SERVICE || undefined,
  }
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

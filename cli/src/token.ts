import { createHmac } from 'node:crypto'
import { Command, Option } from 'commander'
import { type Asking, ask, Refused } from './ask.ts'

const TTL_S = 3_600

const encode = (it: unknown): string => Buffer.from(JSON.stringify(it)).toString('base64url')

/** An access token as the published helper libraries mint it. */
const mint = ({
  accountSid,
  identity,
  serviceSid,
  key,
  ttl,
}: {
  accountSid: string
  identity: string
  serviceSid: unknown
  key: { sid: string; secret: string }
  ttl: number
}): string => {
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' }
  const grants = { identity, chat: { service_sid: serviceSid } }
  const claims = { jti: `${key.sid}-${now}`, iss: key.sid, sub: accountSid, iat: now, exp: now + ttl, grants }
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', key.secret).update(signed).digest('base64url')}`
}

export const tokenCommands = (asking: () => Asking): Command => {
  const command = new Command('token').description('access tokens')
  command
    .command('mint <identity>')
    .description('prints an access token with a chat grant for the Flex chat service')
    .addOption(new Option('--api-key-sid <SK…>', 'the key that signs').env('PARLEY_API_KEY_SID'))
    .addOption(new Option('--api-key-secret <secret>', 'its secret').env('PARLEY_API_KEY_SECRET'))
    .option('--ttl <seconds>', 'how long it lives', String(TTL_S))
    .action(async (identity: string, options: { apiKeySid?: string; apiKeySecret?: string; ttl: string }) => {
      if (!options.apiKeySid || !options.apiKeySecret)
        throw new Refused('Say which key signs: --api-key-sid and --api-key-secret. `npm start` prints both.')
      const who = asking()
      const { chat_service_instance_sid: serviceSid } = await ask(who, 'GET', '/v1/Configuration')
      console.log(
        mint({
          accountSid: who.accountSid,
          identity,
          serviceSid,
          key: { sid: options.apiKeySid, secret: options.apiKeySecret },
          ttl: Number(options.ttl),
        }),
      )
    })
  return command
}

/**
 * What the environment may say, declared once: from `DECLARED` follow what `readSettings` takes and refuses, and the
 * table of `docs/settings.md`.
 */
import { join, resolve } from 'node:path'
import { MEDIA_TYPE } from '@parley/contract/chat/media.ts'
import { z } from 'zod'
import { nearest } from './nearest.ts'

export interface Settings {
  readonly host: string
  readonly port: number
  /** In every `url`, signature and link; no slash at its end. */
  readonly publicUrl: string
  /** An absolute path: the SQLite file, media and the seal key. */
  readonly dataFolder: string
  /** PostgreSQL in place of the SQLite file. */
  readonly databaseUrl: string | undefined
  /** What is not given is made at the first start and kept. */
  readonly account: {
    readonly accountSid: string | undefined
    readonly authToken: string | undefined
    readonly apiKeySid: string | undefined
    readonly apiKeySecret: string | undefined
  }
  /** 32 bytes; where none is given, one is kept in the data folder. */
  readonly sealKey: Buffer | undefined
  readonly webhooks: {
    readonly allowPrivate: boolean
    readonly retryHours: number
    /** Which share of the webhooks that did not fire is written down, from 0 to 1. */
    readonly silences: number
  }
  readonly limits: {
    /** Requests of one account; 0 is no limit. */
    readonly perSecond: number
    readonly burst: number
    /** Requests of one client address to what needs no credentials; 0 is no limit. */
    readonly guestsPerSecond: number
  }
  /** How long the events of workspaces are kept. */
  readonly eventsDays: number
  readonly media: {
    /** An absolute path. */
    readonly folder: string
    /** A bucket in place of the folder. */
    readonly s3:
      | {
          readonly url: string
          readonly region: string
          readonly credentials: { readonly keyId: string; readonly secret: string } | undefined
        }
      | undefined
    readonly urlSeconds: number
    /** `*`, `image/*` or `image/png`. */
    readonly types: readonly string[]
  }
  /** Which pages may ask for a guest's token: their origins, or `*` for all. */
  readonly webchatOrigins: '*' | readonly string[]
  readonly log: { readonly level: string; readonly pretty: boolean }
}

interface Declared<T> {
  /** From the text in the environment to the value. */
  readonly reads: z.ZodType<T, string>
  /** What would do, for the error and the table: "wants …". */
  readonly wants: string
  readonly what: string
  /** In words. */
  readonly otherwise: string
  /** Of a secret value, an error shows nothing but its length. */
  readonly secret?: true
}

const declared = <T>(it: Declared<T>): Declared<T> => it

/** A number written in digits: `Number` alone would take '', '0x10' and ' 7 '. */
const decimal = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most))

const whole = (least: number, most: number) => decimal(least, most).pipe(z.int())

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol))

/** As a browser's `Origin` header spells it, so that it compares as text. */
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text

const isAddressOnly = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { pathname, search, hash, username, password } = new URL(text)
  return pathname === '/' && `${search}${hash}${username}${password}` === ''
}

const sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-f]{32}$`))

/** What both ends of Basic authentication carry unharmed. */
const credential = () => z.string().regex(/^[\x21-\x39\x3b-\x7e]{16,128}$/)

/** `https://host/bucket`, or a folder in it. */
const isBucket = (text: string): boolean => {
  const { pathname, search, hash, username, password } = new URL(text)
  return /^(?:\/[\w.-]+)+\/?$/.test(pathname) && `${search}${hash}${username}${password}` === ''
}

const A_CREDENTIAL = '16 to 128 visible ASCII characters without a colon'
const KEPT = 'made at the first start, printed, kept'
const RATE_MOST = 1_000_000
const HOURS_MOST = 24 * 30
const DAYS_MOST = 3_650
const DAY_S = 86_400

export const DECLARED = {
  PORT: declared({
    reads: whole(1, 65_535),
    wants: 'a port from 1 to 65535',
    otherwise: '`8080`',
    what: 'The port that everything is served on.',
  }),
  HOST: declared({
    reads: z.string().regex(/^[\w.:-]+$/),
    wants: 'an address or name of this machine: 127.0.0.1 for this machine alone, 0.0.0.0 for every network',
    otherwise: '`127.0.0.1`',
    what: 'Where it listens.',
  }),
  PARLEY_PUBLIC_URL: declared({
    reads: url('http:', 'https:')
      .refine(isAddressOnly)
      .transform((text) => new URL(text).origin),
    wants: 'an http or https address without path, query or user, as in https://chat.example.com',
    otherwise: '`http://HOST:PORT`',
    what: 'Where clients reach it: the start of every `url`, link and signature.',
  }),
  PARLEY_DATA: declared({
    reads: z.string().transform((path) => resolve(path)),
    wants: 'a folder that may be written to',
    otherwise: '`./data`',
    what: 'The folder of the SQLite file, media and the seal key.',
  }),
  DATABASE_URL: declared({
    reads: url('postgres:', 'postgresql:'),
    wants: 'the address of a PostgreSQL database, as in postgres://user:password@host:5432/parley',
    otherwise: '–',
    what: 'PostgreSQL (15 or newer) in place of the SQLite file.',
    secret: true,
  }),
  NATS_URL: declared({
    reads: z.never(),
    wants: 'to be left out: NATS is not served, and one node needs none',
    otherwise: '–',
    what: 'Not served: any value stops the start.',
    secret: true,
  }),
  PARLEY_ACCOUNT_SID: declared({
    reads: sid('AC'),
    wants: 'AC and 32 of the digits 0-9 and a-f',
    otherwise: KEPT,
    what: 'The SID of the first account.',
  }),
  PARLEY_AUTH_TOKEN: declared({
    reads: credential(),
    wants: A_CREDENTIAL,
    otherwise: KEPT,
    what: 'The auth token of the first account: its password, and what its webhooks are signed with.',
    secret: true,
  }),
  PARLEY_API_KEY_SID: declared({
    reads: sid('SK'),
    wants: 'SK and 32 of the digits 0-9 and a-f',
    otherwise: KEPT,
    what: "The SID of the first account's API key.",
  }),
  PARLEY_API_KEY_SECRET: declared({
    reads: credential(),
    wants: A_CREDENTIAL,
    otherwise: KEPT,
    what: "The secret of that API key: its password, and what the account's access tokens are signed with.",
    secret: true,
  }),
  PARLEY_SEAL_KEY: declared({
    reads: z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/)
      .transform((text) => Buffer.from(text, 'base64')),
    wants: '32 bytes in base64, as `openssl rand -base64 32` prints them',
    otherwise: '`PARLEY_DATA/seal.key`, made at the first start',
    what: 'The key that seals secrets at rest. Nodes that share a database need the same.',
    secret: true,
  }),
  PARLEY_WEBHOOKS_ALLOW_PRIVATE: declared({
    reads: z.enum(['true', 'false']).transform((text) => text === 'true'),
    wants: 'true or false',
    otherwise: '`true` where `HOST` is this machine alone, else `false`',
    what: 'Whether webhooks may go to addresses of private networks.',
  }),
  PARLEY_WEBHOOKS_RETRY_HOURS: declared({
    reads: decimal(0, HOURS_MOST),
    wants: `hours, from 0 (no retry) to ${HOURS_MOST}`,
    otherwise: '`24`',
    what: 'How long a webhook that fails is tried again before it is set aside.',
  }),
  PARLEY_WEBHOOKS_SILENCES: declared({
    reads: decimal(0, 1),
    wants: 'a share from 0 (none) to 1 (all)',
    otherwise: '`1`',
    what: 'Which share of the webhooks that could have fired and did not is written down with the reason.',
  }),
  PARLEY_MEDIA_TYPES: declared({
    reads: z
      .string()
      .transform((list) => list.split(',').map((type) => type.trim().toLowerCase()))
      .pipe(z.array(z.string().regex(MEDIA_TYPE))),
    wants: '* or content types with commas between them, as in image/*,application/pdf',
    otherwise: '`*`',
    what: 'Which files may be uploaded, by what their uploaders say they are.',
  }),
  PARLEY_MEDIA_URL_SECONDS: declared({
    reads: whole(1, DAY_S),
    wants: `seconds, from 1 to ${DAY_S}`,
    otherwise: '`300`',
    what: 'How long a link to an uploaded file is good.',
  }),
  PARLEY_MEDIA_S3_URL: declared({
    reads: url('http:', 'https:').refine(isBucket),
    wants: 'the address of a bucket, or of a folder in one, as in https://s3.example.com/bucket/parley',
    otherwise: '`PARLEY_DATA/media`',
    what: 'A bucket that speaks S3, for uploaded files, in place of the folder.',
  }),
  PARLEY_MEDIA_S3_REGION: declared({
    reads: z.string().regex(/^[a-z0-9-]{1,64}$/),
    wants: 'the name of a region, as in eu-central-1',
    otherwise: '`us-east-1`',
    what: 'The region of that bucket.',
  }),
  PARLEY_MEDIA_S3_KEY_ID: declared({
    reads: z.string().regex(/^[\x21-\x7e]{1,128}$/),
    wants: 'the id of an access key: visible ASCII characters',
    otherwise: "the machine's own credentials",
    what: 'The access key for that bucket.',
  }),
  PARLEY_MEDIA_S3_SECRET: declared({
    reads: z.string().regex(/^[\x21-\x7e]{8,256}$/),
    wants: 'the secret of that access key: 8 to 256 visible ASCII characters',
    otherwise: "the machine's own credentials",
    what: 'The secret of that access key.',
    secret: true,
  }),
  PARLEY_REQUESTS_PER_SECOND: declared({
    reads: whole(0, RATE_MOST),
    wants: `a whole number from 0 (no limit) to ${RATE_MOST}`,
    otherwise: '`500`',
    what: 'How many requests one account may make in a second.',
  }),
  PARLEY_REQUESTS_BURST: declared({
    reads: whole(0, RATE_MOST),
    wants: `a whole number from 0 to ${RATE_MOST}`,
    otherwise: 'twice `PARLEY_REQUESTS_PER_SECOND`',
    what: 'How many requests beyond that rate one account may make at once.',
  }),
  PARLEY_GUEST_REQUESTS_PER_SECOND: declared({
    reads: whole(0, RATE_MOST),
    wants: `a whole number from 0 (no limit) to ${RATE_MOST}`,
    otherwise: '`20`',
    what: 'How many requests one client address may make in a second to what needs no credentials.',
  }),
  PARLEY_EVENTS_DAYS: declared({
    reads: whole(1, DAYS_MOST),
    wants: `days, from 1 to ${DAYS_MOST}`,
    otherwise: '`30`',
    what: 'How long the events of workspaces are kept to be listed.',
  }),
  PARLEY_WEBCHAT_ORIGINS: declared({
    reads: z.union([
      z.literal('*'),
      z
        .string()
        .transform((list) => list.split(',').map((origin) => origin.trim()))
        .pipe(z.array(z.string().refine(isOrigin))),
    ]),
    wants: '* or origins with commas between them, as in https://shop.example.com,https://www.example.com',
    otherwise: '`*`',
    what: "Which web pages may ask for a guest's token.",
  }),
  PARLEY_LOG: declared({
    reads: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    wants: 'trace, debug, info, warn, error, fatal or silent',
    otherwise: '`info`',
    what: 'The least level that is logged. Pretty on a terminal, JSON lines elsewhere.',
  }),
}

type Name = keyof typeof DECLARED
type Given = { [N in Name]?: z.output<(typeof DECLARED)[N]['reads']> }

/** Names of ours that the tests read and the server does not. */
export const NOT_OF_THE_SERVER: readonly string[] = [
  'PARLEY_CHROMIUM',
  'PARLEY_SCREENSHOTS',
  'PARLEY_WRITE_COVERAGE',
]

export interface WrongSetting {
  readonly name: string
  /** As an error may show it. */
  readonly value: string
  /** What would do, as a sentence without its subject. */
  readonly wants: string
}

/** Every setting that is wrong, not the first alone. */
export class SettingsError extends Error {
  readonly wrong: readonly WrongSetting[]

  constructor(wrong: readonly WrongSetting[]) {
    const lines = wrong.map(({ name, value, wants }) => `  ${name}=${value}\n    ${wants}.`)
    super(`${wrong.length === 1 ? 'A setting is' : 'Settings are'} wrong:\n${lines.join('\n')}`)
    this.name = 'SettingsError'
    this.wrong = wrong
  }
}

/**
 * The settings that an environment asks for. An empty value counts as none given.
 *
 * @param onTerminal whether the log is read by a person
 * @throws SettingsError for a value that does not do and for a `PARLEY_…` that is no setting
 */
export const readSettings = (
  env: Readonly<Record<string, string | undefined>>,
  onTerminal = process.stderr.isTTY === true,
): Settings => {
  const given = readGiven(env)
  const host = given.HOST ?? '127.0.0.1'
  const port = given.PORT ?? 8080
  const perSecond = given.PARLEY_REQUESTS_PER_SECOND ?? 500
  const dataFolder = given.PARLEY_DATA ?? resolve('data')
  return {
    host,
    port,
    publicUrl: given.PARLEY_PUBLIC_URL ?? addressOf(host, port),
    dataFolder,
    databaseUrl: given.DATABASE_URL,
    account: {
      accountSid: given.PARLEY_ACCOUNT_SID,
      authToken: given.PARLEY_AUTH_TOKEN,
      apiKeySid: given.PARLEY_API_KEY_SID,
      apiKeySecret: given.PARLEY_API_KEY_SECRET,
    },
    sealKey: given.PARLEY_SEAL_KEY,
    webhooks: {
      allowPrivate: given.PARLEY_WEBHOOKS_ALLOW_PRIVATE ?? isLoopback(host),
      retryHours: given.PARLEY_WEBHOOKS_RETRY_HOURS ?? 24,
      silences: given.PARLEY_WEBHOOKS_SILENCES ?? 1,
    },
    limits: {
      perSecond,
      burst: given.PARLEY_REQUESTS_BURST ?? 2 * perSecond,
      guestsPerSecond: given.PARLEY_GUEST_REQUESTS_PER_SECOND ?? 20,
    },
    eventsDays: given.PARLEY_EVENTS_DAYS ?? 30,
    media: {
      folder: join(dataFolder, 'media'),
      s3: bucketFrom(given),
      urlSeconds: given.PARLEY_MEDIA_URL_SECONDS ?? 300,
      types: given.PARLEY_MEDIA_TYPES ?? ['*'],
    },
    webchatOrigins: given.PARLEY_WEBCHAT_ORIGINS ?? '*',
    log: { level: given.PARLEY_LOG ?? 'info', pretty: onTerminal },
  }
}

const bucketFrom = (given: Given): Settings['media']['s3'] => {
  const {
    PARLEY_MEDIA_S3_URL: address,
    PARLEY_MEDIA_S3_KEY_ID: keyId,
    PARLEY_MEDIA_S3_SECRET: secret,
  } = given
  if (address === undefined) return undefined
  const credentials = keyId && secret ? { keyId, secret } : undefined
  return { url: address, region: given.PARLEY_MEDIA_S3_REGION ?? 'us-east-1', credentials }
}

const readGiven = (env: Readonly<Record<string, string | undefined>>): Given => {
  const given: Record<string, unknown> = {}
  const wrong: WrongSetting[] = []
  for (const [name, { reads, wants, secret }] of Object.entries<Declared<unknown>>(DECLARED)) {
    const text = env[name]
    if (text === undefined || text === '') continue
    const read = reads.safeParse(text)
    if (read.success) given[name] = read.data
    else wrong.push({ name, value: secret ? masked(text) : text, wants: `wants ${wants}` })
  }
  if (!given.PARLEY_MEDIA_S3_KEY_ID !== !given.PARLEY_MEDIA_S3_SECRET && wrong.length === 0)
    wrong.push({
      name: 'PARLEY_MEDIA_S3_SECRET',
      value: '…',
      wants: 'is given together with PARLEY_MEDIA_S3_KEY_ID, or neither is',
    })
  wrong.push(...Object.keys(env).filter(isUnknown).map(unknown))
  if (wrong.length > 0) throw new SettingsError(wrong)
  return given as Given
}

const isUnknown = (name: string): boolean =>
  name.startsWith('PARLEY_') && !(name in DECLARED) && !NOT_OF_THE_SERVER.includes(name)

/** A misspelt name may hold a secret: its value is not shown. */
const unknown = (name: string): WrongSetting => ({
  name,
  value: '…',
  wants: `is no setting; the nearest that is one is ${nearest(name, Object.keys(DECLARED))}`,
})

const masked = (secret: string): string => `(${secret.length} characters, not shown)`

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** A server that listens on every network is at least reached from its own machine. */
const addressOf = (host: string, port: number): string => {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (host === '::') return `http://[::1]:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

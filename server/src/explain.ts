/** What went wrong when the house could not open, as a sentence that says what would do. */
import { SealBroken } from './accounts/seal.ts'
import { SealKeyBroken } from './accounts/seal-key.ts'
import { type Settings, SettingsError } from './settings.ts'
import { StoreAway } from './store/away.ts'

/** As SQLite, Node and PostgreSQL tell it: `errcode` is SQLite's extended result code, `code` a name or an SQLSTATE. */
interface Fault extends Error {
  readonly code?: string
  readonly errcode?: number
  /** That no address was found for. */
  readonly hostname?: string
}

type Sentence = (settings: Settings, message: string) => string

const noFolder: Sentence = ({ dataFolder }, message) =>
  `PARLEY_DATA=${dataFolder}: no folder that may be written to (${message}). Take another, or set it right.`

const noAddress: Sentence = ({ host }) =>
  `HOST=${host}: this machine has no such address. 127.0.0.1 serves this machine, 0.0.0.0 every network.`

const noAnswer: Sentence = (_, message) =>
  `DATABASE_URL: no PostgreSQL server answers there (${message}). Start it, or correct the address.`

const notLetIn: Sentence = (_, message) =>
  `DATABASE_URL: ${message}. Correct the user, the password or the database's name.`

const notNow: Sentence = (_, message) => `DATABASE_URL: ${message}. Start again when the server has room.`

const denied: Sentence = ({ port, dataFolder }) =>
  `PORT=${port} or PARLEY_DATA=${dataFolder}: permission denied. Take a port above 1023 and a folder you may write to.`

const notOurs: Sentence = ({ dataFolder }, message) =>
  `PARLEY_DATA=${dataFolder}: parley.db cannot be read (${message}). Put a backup in its place, or take another folder.`

const BY_CODE: Readonly<Record<string, Sentence>> = {
  EADDRINUSE: ({ host, port }) =>
    `PORT=${port}: another program listens on ${host}:${port}. Stop it, or set PORT to a free one.`,
  EADDRNOTAVAIL: noAddress,
  EACCES: denied,
  EPERM: denied,
  EEXIST: noFolder,
  ENOTDIR: noFolder,
  ENOENT: noFolder,
  EISDIR: noFolder,
  EROFS: noFolder,
  ENOSPC: noFolder,
  ECONNREFUSED: noAnswer,
  ECONNRESET: noAnswer,
  ENOTFOUND: noAnswer,
  EAI_AGAIN: noAnswer,
  EHOSTUNREACH: noAnswer,
  ENETUNREACH: noAnswer,
  ETIMEDOUT: noAnswer,
  '28P01': notLetIn,
  '28000': notLetIn,
  '3D000': notLetIn,
  '42501': (_, message) =>
    `DATABASE_URL: ${message}. Let the user own the database, or create tables in its schema.`,
  '53300': notNow,
  '57P03': notNow,
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const BY_SQLITE: Readonly<Record<number, Sentence>> = {
  5: ({ dataFolder }) =>
    `PARLEY_DATA=${dataFolder}: another program holds parley.db. Stop it, or take another folder: one process for each file.`,
  8: noFolder,
  10: notOurs,
  11: notOurs,
  13: noFolder,
  14: noFolder,
  26: notOurs,
}

/** Those of `pg` that carry no code. */
const BY_MESSAGE: readonly (readonly [RegExp, Sentence])[] = [
  [
    /client password must be a string/,
    () => 'DATABASE_URL: the server asks for a password. Put it into the address.',
  ],
  [/timeout|Connection terminated/, noAnswer],
]

export const explain = (met: Fault, settings: Settings): string => {
  const fault = met instanceof StoreAway ? (met.cause as Fault) : met
  if (fault instanceof SettingsError) return fault.message
  if (fault instanceof SealKeyBroken) return `PARLEY_DATA: ${fault.message}. Put back the key that was there.`
  if (fault instanceof SealBroken) return `PARLEY_SEAL_KEY: ${sealed(fault, settings)}`
  if (fault.hostname !== undefined && fault.hostname === settings.host)
    return noAddress(settings, fault.message)
  const sentence =
    fault.errcode === undefined
      ? (BY_CODE[fault.code ?? ''] ?? BY_MESSAGE.find(([words]) => words.test(fault.message))?.[1])
      : BY_SQLITE[fault.errcode % 256]
  return sentence?.(settings, said(fault)) ?? `Parley could not start: ${fault.stack ?? fault.message}`
}

const sealed = (fault: SealBroken, { sealKey, dataFolder }: Settings): string =>
  sealKey
    ? `${fault.message}. Set the key that this database was made with.`
    : `${fault.message}. Put the seal.key that it was made with into ${dataFolder}, or set the key here.`

/** A host of several addresses fails once for each: the whole has no words of its own. */
const said = (fault: Fault): string =>
  fault instanceof AggregateError ? fault.errors.map((it: Error) => it.message).join('; ') : fault.message

/**
 * Secrets at rest: AES-256-GCM under a key that is not in the database.
 *
 * A sealed secret reads `v1.<key's fingerprint>.<nonce, ciphertext and tag in base64url>`. The fingerprint tells a
 * wrong key from a damaged secret; the version lets another form stand beside this one.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const VERSION = 'v1'
const KEY_BYTES = 32
/** GCM's own size; drawn by chance, safe for some four billion secrets under one key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FINGERPRINT_DIGITS = 8

/** Opened secrets kept at hand: a busy house signs with few, and asks for them at every request. */
const OPENED_MAX = 10_000

/** A sealed secret that cannot be opened. */
export class SealBroken extends Error {
  override name = 'SealBroken'
  readonly reason: 'other-key' | 'damaged' | 'unknown-form'

  constructor(reason: SealBroken['reason']) {
    super(SENTENCES[reason])
    this.reason = reason
  }
}

const SENTENCES = {
  'other-key':
    'A secret was sealed with another key: the sealing key is not the one this database was made with',
  damaged: 'A sealed secret is damaged: it was changed since it was sealed',
  'unknown-form': 'A sealed secret has a form that is not known: it is not sealed, or by a later version',
}

/** A new sealing key: 32 bytes of chance. */
export const newSealKey = (): Buffer => randomBytes(KEY_BYTES)

/**
 * Seals a secret; twice the same secret gives two different texts.
 * @param key as `newSealKey` made it
 * @throws TypeError when the key is none
 */
export const seal = (key: Buffer, plain: string): string => {
  const { fingerprint } = known(key)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const prefix = `${VERSION}.${fingerprint}`
  cipher.setAAD(Buffer.from(prefix))
  const box = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${prefix}.${box.toString('base64url')}`
}

/**
 * Opens a secret, and remembers a bounded number of what was opened.
 * @param key as `newSealKey` made it
 * @throws SealBroken when the key is another one, or the secret is not as it was sealed
 */
export const unseal = (key: Buffer, sealed: string): string => {
  const { fingerprint, opened } = known(key)
  const remembered = opened.get(sealed)
  if (remembered !== undefined) return remembered

  const plain = open(key, fingerprint, sealed)
  // The oldest goes: what is still in use comes back with its next request.
  if (opened.size >= OPENED_MAX) opened.delete(opened.keys().next().value ?? '')
  opened.set(sealed, plain)
  return plain
}

interface Known {
  readonly fingerprint: string
  /** What was opened with this key: plain texts by their sealed ones. */
  readonly opened: Map<string, string>
}

/** Goes with the key: nothing is remembered of a key that nobody holds. */
const knownKeys = new WeakMap<Buffer, Known>()

const known = (key: Buffer): Known => {
  const before = knownKeys.get(key)
  if (before) return before
  if (key.length !== KEY_BYTES) throw new TypeError(`A sealing key has ${KEY_BYTES} bytes, not ${key.length}`)
  const hash = createHash('sha256').update('parley sealing key ').update(key).digest('hex')
  const now = { fingerprint: hash.slice(0, FINGERPRINT_DIGITS), opened: new Map<string, string>() }
  knownKeys.set(key, now)
  return now
}

const open = (key: Buffer, fingerprint: string, sealed: string): string => {
  const [version, madeWith, text, ...rest] = sealed.split('.')
  if (version !== VERSION || madeWith === undefined || text === undefined || rest.length > 0)
    throw new SealBroken('unknown-form')
  if (madeWith !== fingerprint) throw new SealBroken('other-key')
  const box = Buffer.from(text, 'base64url')
  if (box.length < NONCE_BYTES + TAG_BYTES) throw new SealBroken('damaged')

  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(`${version}.${madeWith}`))
  decipher.setAuthTag(box.subarray(-TAG_BYTES))
  try {
    return decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    throw new SealBroken('damaged')
  }
}

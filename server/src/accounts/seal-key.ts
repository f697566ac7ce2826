/** The key that seals secrets at rest, where the settings give none: made at the first start, kept beside the data. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const KEY_BYTES = 32

/** The file is there and holds no key. */
export class SealKeyBroken extends Error {
  override name = 'SealKeyBroken'
}

/**
 * Reads `seal.key` in the folder, or makes it, readable by its owner alone.
 * @throws SealKeyBroken where the file holds something else
 */
export const keepSealKey = (folder: string): Buffer => {
  const path = join(folder, 'seal.key')
  try {
    writeFileSync(path, randomBytes(KEY_BYTES).toString('base64'), { flag: 'wx', mode: 0o600 })
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault
  }
  const key = Buffer.from(readFileSync(path, 'utf8'), 'base64')
  if (key.length !== KEY_BYTES) throw new SealKeyBroken(`${path} does not hold ${KEY_BYTES} bytes in base64`)
  return key
}

/**
 * Files in a folder. A file is written beside the others, synced, and moved to its place: what stands in a place is
 * whole.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Bytes, isKey, newKey, placeOf } from './bytes.ts'

/** Where files are while they arrive. */
const INCOMING = 'incoming'

/** For nobody but the user that the server runs as. */
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

export const openDisk = (folder: string): Bytes => {
  const arriving = (key: string): string => join(folder, INCOMING, key)
  const kept = (key: string): string => join(folder, placeOf(key))
  return {
    put: async (body) => {
      const key = newKey()
      try {
        await mkdir(join(folder, INCOMING), { recursive: true, mode: FOLDER_MODE })
        await pipeline(body, createWriteStream(arriving(key), { flags: 'wx', mode: FILE_MODE, flush: true }))
        await moveIn(folder, arriving(key), kept(key))
        return key
      } catch (fault) {
        await rm(arriving(key), { force: true })
        throw fault
      }
    },
    open: async (key, range) => {
      const file = await openIfThere(kept(key))
      return file?.createReadStream(range && { start: range.first, end: range.last })
    },
    remove: async (key) => {
      await rm(kept(key), { force: true })
      await rm(arriving(key), { force: true })
    },
    writtenBefore: async function* (at) {
      for (const name of await namesIn(folder)) {
        if (name !== INCOMING && !/^[0-9a-f]{2}$/.test(name)) continue
        for (const key of (await namesIn(join(folder, name))).filter(isKey))
          if ((await writtenAt(join(folder, name, key))) < at) yield key
      }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A name is as durable as its folder is. */
const moveIn = async (folder: string, from: string, to: string): Promise<void> => {
  const made = await mkdir(dirname(to), { recursive: true, mode: FOLDER_MODE })
  await rename(from, to)
  await sync(dirname(to))
  if (made !== undefined) await sync(folder)
}

const sync = async (folder: string): Promise<void> => {
  await using it = await open(folder)
  await it.sync()
}

const isMissing = (fault: unknown): boolean => (fault as NodeJS.ErrnoException).code === 'ENOENT'

const openIfThere = async (path: string) => {
  try {
    return await open(path)
  } catch (fault) {
    if (isMissing(fault)) return undefined
    throw fault
  }
}

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder)
  } catch (fault) {
    if (isMissing(fault)) return []
    throw fault
  }
}

/** What is gone meanwhile was never written. */
const writtenAt = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).mtimeMs
  } catch (fault) {
    if (isMissing(fault)) return Number.POSITIVE_INFINITY
    throw fault
  }
}

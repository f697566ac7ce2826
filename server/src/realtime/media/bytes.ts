/** Where the bytes of uploaded files are: a folder of this machine, or a bucket that speaks S3. */
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { openDisk } from './disk.ts'
import { openS3, type S3Settings } from './s3.ts'

export interface Bytes extends AsyncDisposable {
  /**
   * Keeps what the stream gives, as it comes. When the promise resolves, all of it would survive the machine; when
   * the stream fails, nothing is left and the promise rejects with its fault.
   * @returns the key it is kept under, which nobody can guess
   */
  put(body: Readable): Promise<string>
  /** @returns undefined where nothing is kept under the key */
  open(key: string, range?: ByteRange): Promise<Readable | undefined>
  /** Nothing under the key is no fault. */
  remove(key: string): Promise<void>
  /** The keys of what was written before a moment, finished or not. */
  writtenBefore(at: number): AsyncIterable<string>
}

/** From the first byte to the last, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

export interface BytesSettings {
  readonly folder: string
  /** A bucket in place of the folder. */
  readonly s3?: S3Settings | undefined
}

/** @throws what is wrong with the bucket's settings */
export const openBytes = ({ folder, s3 }: BytesSettings): Promise<Bytes> =>
  s3 ? openS3(s3) : Promise.resolve(openDisk(folder))

const KEY_BYTES = 16

export const newKey = (): string => randomBytes(KEY_BYTES).toString('hex')

/** Everything else in the folder or the bucket is not ours to touch. */
export const isKey = (name: string): boolean => /^[0-9a-f]{32}$/.test(name)

/** Where something stands beneath the folder or the bucket's prefix: 256 folders, so that none grows long. */
export const placeOf = (key: string): string => `${key.slice(0, 2)}/${key}`

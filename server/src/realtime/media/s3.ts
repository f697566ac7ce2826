/**
 * Objects in a bucket, of Amazon's S3 or of whatever speaks like it. The library is loaded only where a bucket is
 * chosen: it is larger than everything else together.
 */
import type { Readable } from 'node:stream'
import { type Bytes, isKey, newKey, placeOf } from './bytes.ts'

export interface S3Settings {
  /** `https://host/bucket`, or `https://host/bucket/folder` for a bucket that holds other things as well. */
  readonly url: string
  readonly region: string
  /** Where it is not given, the machine's own: its environment, its profile or its role. */
  readonly credentials?: { readonly keyId: string; readonly secret: string } | undefined
}

/** Uploaded in parts of so many bytes (the least that S3 takes), so many at once: what one upload holds in memory. */
const PART_BYTES = 5 * 1024 * 1024
const PARTS_AT_ONCE = 2

/** How long the bucket may take to let us connect, and to say something, in milliseconds. */
const CONNECT_MS = 5_000
const SILENCE_MS = 60_000

export const openS3 = async ({ url, region, credentials }: S3Settings): Promise<Bytes> => {
  const [{ S3Client, GetObjectCommand, DeleteObjectCommand, ListObjectsV2Command, NoSuchKey }, { Upload }] =
    await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')])
  const { origin, pathname } = new URL(url)
  const [bucket = '', ...folders] = pathname.split('/').filter((it) => it !== '')
  const prefix = folders.map((it) => `${it}/`).join('')
  const client = new S3Client({
    endpoint: origin,
    region,
    forcePathStyle: true,
    ...(credentials && {
      credentials: { accessKeyId: credentials.keyId, secretAccessKey: credentials.secret },
    }),
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS },
    // Not everything that speaks S3 knows the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const at = (key: string) => ({ Bucket: bucket, Key: prefix + placeOf(key) })
  return {
    put: async (body) => {
      const key = newKey()
      const params = { ...at(key), Body: body }
      try {
        await new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done()
        return key
      } catch (fault) {
        // Not what became of the attempt to give the upload up.
        throw body.errored ?? fault
      }
    },
    open: async (key, range) => {
      try {
        const Range = range && `bytes=${range.first}-${range.last}`
        const { Body } = await client.send(new GetObjectCommand({ ...at(key), ...(Range && { Range }) }))
        return Body as Readable | undefined
      } catch (fault) {
        if (fault instanceof NoSuchKey) return undefined
        throw fault
      }
    },
    remove: async (key) => {
      await client.send(new DeleteObjectCommand(at(key)))
    },
    writtenBefore: async function* (moment) {
      let token: string | undefined
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token && { ContinuationToken: token }),
          }),
        )
        for (const { Key = '', LastModified } of page.Contents ?? []) {
          const key = Key.slice(prefix.length).split('/')[1] ?? ''
          if (isKey(key) && Key === prefix + placeOf(key) && Number(LastModified) < moment) yield key
        }
        token = page.NextContinuationToken
      } while (token !== undefined)
    },
    [Symbol.asyncDispose]: async () => client.destroy(),
  }
}

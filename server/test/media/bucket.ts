/** A bucket of a server that speaks S3, on this machine. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import type { S3Settings } from '../../src/realtime/media/index.ts'
import { sparePort } from '../world/spare-port.ts'

const BUCKET = 'uploads'

export interface Bucket extends AsyncDisposable {
  readonly settings: S3Settings
}

export const openBucket = async (): Promise<Bucket> => {
  const directory = await mkdtemp(join(tmpdir(), 'parley-bucket-'))
  const port = await sparePort()
  const server = new S3rver({
    port,
    directory,
    address: '127.0.0.1',
    silent: true,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  })
  await server.run()
  return {
    settings: {
      url: `http://127.0.0.1:${port}/${BUCKET}`,
      region: 'us-east-1',
      // The only ones that it knows.
      credentials: { keyId: 'S3RVER', secret: 'S3RVER' },
    },
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

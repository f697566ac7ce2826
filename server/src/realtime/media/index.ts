/** Media, as the house puts it together. */
export { type Bytes, type BytesSettings, openBytes } from './bytes.ts'
export { addMediaRoutes, type MediaSettings } from './routes.ts'
export type { S3Settings } from './s3.ts'
export { sweepMedia } from './sweep.ts'

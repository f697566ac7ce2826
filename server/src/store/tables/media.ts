/** Uploaded files, as rows; their bytes are in a folder or a bucket. */
import type { MediaRow } from '@parley/contract/chat/media.ts'

export interface MediaTables {
  media: MediaRow
}

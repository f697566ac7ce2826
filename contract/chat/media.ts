/** What is said with a file. It is uploaded first, then claimed by the one message that carries it. */

/** How large a file may be unless its service says otherwise, in megabytes of 1024 × 1024 bytes. */
export const MEDIA_MB = 150

/** What a service may set it to at the most. */
export const MEDIA_MB_MAX = 1024

/** Which files may be uploaded: `*`, `image/*` or `image/png`. */
export const MEDIA_TYPE = /^(\*|[\w!#$&^.+-]+\/(\*|[\w!#$&^.+-]+))$/

export interface MediaRow {
  sid: string
  account_sid: string
  service_sid: string
  /** Both null until a message claims it. */
  channel_sid: string | null
  message_sid: string | null
  /** The client that uploaded it; null where the account's back end did. */
  uploaded_by: string | null
  category: string
  content_type: string
  filename: string | null
  /** In bytes. */
  size: number
  /** By what its bytes are found; drawn by chance, never told to anybody. */
  kept_as: string
  date_created: number
  date_updated: number
}

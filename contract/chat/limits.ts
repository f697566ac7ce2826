/** How long and how many things may be in chat, and the fields that every resource of chat shares. */
import { type Field, jsonText, text } from '../field.ts'

/** Friendly names, unique names and identities, in characters. */
export const NAME_MAX = 256

/** Attributes of channels, members and messages, in bytes of UTF-8. */
export const ATTRIBUTES_BYTES_MAX = 32 * 1024

/** Attributes of users, in bytes of UTF-8. */
export const USER_ATTRIBUTES_BYTES_MAX = 4 * 1024

/** The text of a message, in bytes of UTF-8. */
export const BODY_BYTES_MAX = 32 * 1024

/** What `Limits.ChannelMembers` and `Limits.UserChannels` may be set to at the most. */
export const LIMIT_MAX = 1000

export const WEBHOOKS_MAX = 5
export const TRIGGERS_MAX = 5
export const TRIGGER_MAX = 256
export const WEBHOOK_URL_MAX = 2048
export const WEBHOOK_RETRIES_MAX = 3

/** Chat pages are of 50, and of 100 at the most. */
export const PAGES = { default: 50, max: 100 } as const

export const friendlyName = (): Field<string, string, false> =>
  text({ max: NAME_MAX, tooLong: 'friendly_name_too_long' })

/** An empty one takes the name away. */
export const uniqueName = (): Field<string, string, false> =>
  text({ max: NAME_MAX, tooLong: 'unique_name_too_long' })

export const identity = (): Field<string, string, false> =>
  text({ max: NAME_MAX, tooLong: 'identity_too_long', empty: 'identity_missing' })

/** `CreatedBy` and `From`: anybody's name, user or not. */
export const author = (): Field<string, string, false> => text({ max: NAME_MAX, tooLong: 'author_too_long' })

export const attributes = (maxBytes: number = ATTRIBUTES_BYTES_MAX): Field<string, string, false> =>
  jsonText({ maxBytes, tooLong: 'attributes_too_long', wrong: 'attributes_not_json' })

import { type Core, readAttributes, writeChange } from './core.ts'
import { mediaLink } from './media.ts'
import type { Data } from './sync.ts'

/** A file that was sent. */
export interface MessageMedia {
  readonly sid: string
  readonly filename: string | null
  readonly contentType: string
  /** In bytes. */
  readonly size: number
}

/** Something said in a channel, as it was when this was made. It never changes: what changes comes as a new one. */
export class Message {
  readonly sid: string
  readonly channelSid: string
  /** Its place in the channel, from 0; gaps are messages that were removed. */
  readonly index: number
  readonly author: string
  /** Null for a file without words. */
  readonly body: string | null
  readonly attributes: unknown
  readonly media: MessageMedia | null
  readonly dateCreated: Date
  readonly dateUpdated: Date
  readonly #core: Core

  /** @param data of the channel's list, or as a request is answered */
  constructor(core: Core, channelSid: string, index: number, data: Data) {
    this.#core = core
    this.sid = data.sid
    this.channelSid = channelSid
    this.index = index
    this.author = data.author
    this.body = data.text ?? data.body ?? null
    this.attributes = readAttributes(data.attributes)
    this.media = data.media ? readMedia(data.media) : null
    this.dateCreated = new Date(data.timestamp ?? data.date_created)
    this.dateUpdated = new Date(data.dateUpdated ?? data.date_updated)
    Object.freeze(this)
  }

  /** Whether this user wrote it. */
  get isMine(): boolean {
    return this.author === this.#core.identity
  }

  /**
   * Changes what is given, and resolves with the message as it is then.
   * @throws ChatError `forbidden` where it is somebody else's and the role does not allow it
   */
  async update(change: { readonly body?: string; readonly attributes?: unknown }): Promise<Message> {
    const { body } = await this.#core.connection.request('POST', this.#address, writeChange(change))
    return new Message(this.#core, this.channelSid, this.index, body)
  }

  /** @throws ChatError `forbidden` as `update` does */
  async remove(): Promise<void> {
    await this.#core.connection.request('DELETE', this.#address)
  }

  /**
   * An address from which anybody can fetch the file, for some minutes: for `<img src>`, or `fetch`.
   * @throws ChatError `missing` for a message without a file
   */
  getMediaUrl(): Promise<string> {
    return mediaLink(this.#core, this.media?.sid)
  }

  get #address(): string {
    return `${this.#core.links.conversations}/${this.channelSid}/Messages/${this.sid}`
  }
}

const readMedia = (data: Data): MessageMedia =>
  Object.freeze({
    sid: data.sid,
    filename: data.filename ?? null,
    contentType: data.contentType ?? data.content_type,
    size: data.size,
  })

/** Some messages of a channel, oldest first. */
export interface MessagePage {
  readonly items: readonly Message[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** The page before; empty where there is none. */
  older(): Promise<MessagePage>
  /** The page after; empty where there is none. */
  newer(): Promise<MessagePage>
}

export interface PageAsked {
  /** 30 unless said; 100 at the most. */
  readonly limit?: number
  /** Those with a lower index, nearest first counted. */
  readonly before?: number
  /** Those with a higher index. Without either: the newest. */
  readonly after?: number
}

const PAGE_DEFAULT = 30

/** Reads a page of a channel's messages. */
export const readMessages = async (
  core: Core,
  channelSid: string,
  asked: PageAsked,
): Promise<MessagePage> => {
  const { limit = PAGE_DEFAULT, before, after } = asked
  const isForward = after !== undefined && before === undefined
  const from = isForward ? `&From=${after + 1}` : before === undefined ? '' : `&From=${before - 1}`
  const order = isForward ? 'asc' : 'desc'
  const query = `PageSize=${limit}&Order=${order}${from}`
  const { items: found, meta } = await core.sync.page(`${channelSid}.messages`, query)
  const items = found.map((it) => new Message(core, channelSid, it.index as number, it.data))
  if (!isForward) items.reverse()
  const [ahead, behind] = [Boolean(meta.next_token), Boolean(meta.previous_token)]
  const first = items[0]?.index ?? before ?? (after ?? 0) + 1
  const last = items.at(-1)?.index ?? after ?? (before ?? 0) - 1
  return {
    items: Object.freeze(items),
    hasOlder: isForward ? behind : ahead,
    hasNewer: isForward ? ahead : behind,
    older: () => readMessages(core, channelSid, { limit, before: first }),
    newer: () => readMessages(core, channelSid, { limit, after: last }),
  }
}

/** Files: the one thing that does not go through the socket. */
import type { Core } from './core.ts'
import { ChatError, refusal } from './error.ts'

/** What `fetch` can send. A stream is sent once: it cannot be tried again with another token. */
export type MediaContent = Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

export interface MediaUpload {
  readonly content: MediaContent
  /** `image/png`; a Blob's own unless said. */
  readonly contentType?: string
  /** A File's own unless said. */
  readonly filename?: string
}

/**
 * Uploads a file, which a message must claim within a day.
 * @returns its SID, ME…
 */
export const uploadMedia = async (core: Core, media: Blob | MediaUpload): Promise<string> => {
  const { content, contentType, filename } = 'content' in media ? media : { content: media }
  const { name: ownName, type: ownType } = content as Partial<File>
  const name = filename ?? ownName
  const query = `?Category=media${name ? `&Filename=${encodeURIComponent(name)}` : ''}`
  const init = {
    method: 'POST',
    body: content,
    headers: { 'content-type': contentType || ownType || 'application/octet-stream' },
    // Without it a stream is refused.
    duplex: 'half' as const,
  }
  return (await ask(core, query, init)).sid
}

/** @throws ChatError `missing` without a SID */
export const mediaLink = async (core: Core, sid: string | undefined): Promise<string> => {
  if (!sid) throw new ChatError('missing', 'The message has no file')
  return (await ask(core, `/${sid}`)).links.content_direct_temporary
}

interface MediaAnswer {
  readonly sid: string
  readonly links: { readonly content_direct_temporary: string }
  readonly code?: number
  readonly message?: string
}

/** A token that ended meanwhile is renewed once, where what was sent can be sent again. */
const ask = async (
  core: Core,
  path: string,
  init: RequestInit = {},
  isSecond = false,
): Promise<MediaAnswer> => {
  const token = await core.connection.token(isSecond)
  let answer: Response
  try {
    const headers = { ...(init.headers as Record<string, string>), 'x-twilio-token': token }
    answer = await fetch(core.links.media_service + path, { ...init, headers })
  } catch (cause) {
    throw new ChatError('lost', 'The file could not be sent or asked for', 0, 0, cause)
  }
  const body = (await answer.json().catch(() => ({}))) as MediaAnswer
  if (answer.ok) return body
  if (answer.status === 401 && !isSecond && !(init.body instanceof ReadableStream))
    return ask(core, path, init, true)
  throw refusal(answer.status, body.code, body.message)
}

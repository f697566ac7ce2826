/**
 * Media, the one thing of the chat SDKs that does not go through their socket: uploads, what is known of a file, and
 * its content behind signed links. Raw routes, since their bodies are streams.
 */
import { SYSTEM_IDENTITY } from '@parley/contract/actor.ts'
import type { MediaRow } from '@parley/contract/chat/media.ts'
import { isSid } from '@parley/contract/field.ts'
import { problem } from '@parley/contract/problem.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { requireGrantFor } from '../../accounts/index.ts'
import { addMedia, mediaLimitOf, mediaTypesOf, requireService, seeMedia } from '../../chat/index.ts'
import type { AccessToken } from '../../http/binding.ts'
import type { Store } from '../../store/tx.ts'
import type { Bytes } from './bytes.ts'
import { contentHandler } from './content.ts'
import { openLinks } from './link.ts'
import { filenameFrom } from './naming.ts'
import { receive } from './receive.ts'
import { openTurns } from './turns.ts'

/** A message of `@twilio/conversations` may carry ten files, which it uploads together. */
const UPLOADS_OF_A_CLIENT_MAX = 10

/** Those of an account's back ends, which speak for many. */
const UPLOADS_OF_AN_ACCOUNT_MAX = 100

/** An upload that brings nothing for so long is given up, in milliseconds. */
const STALL_MS = 20_000

/** How long what was refused may go on arriving before we hang up, in milliseconds: time to read the answer. */
const LINGER_MS = 10_000

/** How many files may be asked for at once. */
const SET_MAX = 100

/** In characters; the published clients say media, body or history. */
const CATEGORY = /^[a-z_]{1,32}$/

const MEDIA = '/v1/Services/:ServiceSid/Media'
const MEDIA_SET = '/v1/Services/:ServiceSid/MediaSet'
const CONTENT = '/content/:Sid'

/**
 * The chat SDKs before 5 put a host of their own before the address of media. With a region such as
 * `chat.example.org/r` that host is `mcs.chat.example.org`, and this is left before the path.
 */
const REGION = '/:Region(^[^/]+\\.twilio\\.com$)'

export interface MediaSettings {
  /** How long a link to content is good. */
  readonly urlSeconds: number
  /** What may be uploaded: `*`, `image/*`, `image/png`. */
  readonly types: readonly string[]
}

export interface MediaServing extends MediaSettings {
  readonly store: Store
  readonly bytes: Bytes
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly sealKey: Buffer
  /** In milliseconds; 20 seconds unless said otherwise. */
  readonly stallMs?: number | undefined
}

/** Adds the routes of media to the server, which does not listen yet. */
export const addMediaRoutes = async (app: FastifyInstance, serving: MediaServing): Promise<void> => {
  const { store, bytes, publicUrl } = serving
  const links = openLinks(serving.sealKey, publicUrl, serving.urlSeconds)
  const shown = (row: MediaRow): object => showMedia(row, publicUrl, links.to(row.sid, store.reader.now()))

  const look = async (request: FastifyRequest): Promise<MediaRow> => {
    const { Sid: sid = '' } = request.params as Path
    const row = isSid('ME', sid) ? await seeMedia(store.reader, askedBy(request), sid) : undefined
    if (!row)
      throw problem('not_found', { path: `/Services/${askedBy(request).path.serviceSid}/Media/${sid}` })
    return row
  }

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, done) => done(null))
    const handler = uploadHandler(serving, shown)
    for (const url of [MEDIA, REGION + MEDIA])
      scope.route({
        method: 'POST',
        url,
        config: { operation: operation('POST', MEDIA), openTo: 'clients', slow: true },
        handler,
      })
  })
  for (const url of [`${MEDIA}/:Sid`, `${REGION}${MEDIA}/:Sid`])
    app.route({
      method: 'GET',
      url,
      config: { operation: operation('GET', `${MEDIA}/:Sid`), openTo: 'clients' },
      handler: async (request) => shown(await look(request)),
    })
  app.route({
    method: 'GET',
    url: `${MEDIA}/:Sid/Content`,
    config: { operation: operation('GET', `${MEDIA}/:Sid/Content`), openTo: 'clients' },
    handler: async (request, reply) =>
      reply.redirect(links.to((await look(request)).sid, store.reader.now()), 307),
  })
  app.route({
    method: 'POST',
    url: MEDIA_SET,
    config: { operation: operation('POST', MEDIA_SET), openTo: 'clients', reads: 'json' },
    handler: async (request) => {
      const by = askedBy(request)
      const records: object[] = []
      for (const sid of readSet(request.body)) {
        const row = isSid('ME', sid) ? await seeMedia(store.reader, by, sid) : undefined
        records.push({ code: row ? 200 : 404, media_record: row ? shown(row) : { sid } })
      }
      return records
    },
  })
  app.route({
    method: ['GET', 'HEAD'],
    url: CONTENT,
    exposeHeadRoute: false,
    handler: contentHandler({ reader: store.reader, bytes, links }),
  })
  refuseOthers(app, MEDIA, ['POST'])
  refuseOthers(app, MEDIA_SET, ['POST'])
  for (const url of [`${MEDIA}/:Sid`, `${MEDIA}/:Sid/Content`, CONTENT]) refuseOthers(app, url, ['GET'])
}

interface Path {
  readonly ServiceSid?: string
  readonly Sid?: string
}

const operation = (method: string, pattern: string): string =>
  `${method} ${pattern.replace(/:(\w+)/g, '{$1}')}`

/** What no method of ours is answered with: 405, as at every other address. */
const refuseOthers = (app: FastifyInstance, url: string, allowed: readonly HTTPMethods[]): void => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const)
    if (!allowed.includes(method))
      app.route({
        method,
        url,
        config: { operation: 'none', allowed: allowed as string[] },
        handler: async () => {
          throw problem('internal')
        },
      })
}

/**
 * Who asks, of which service. The door has believed them.
 * @throws 20106 for a token without a chat grant, 50107 for one of another service
 */
const askedBy = (
  request: FastifyRequest,
): { accountSid: string; token: AccessToken | undefined; path: { serviceSid: string } } => {
  const { accountSid = '', token } = request.caller ?? {}
  const { ServiceSid: serviceSid = '' } = request.params as Path
  // PostgreSQL keeps no NUL in text, so nothing has such a name.
  if (serviceSid.includes('\0')) throw problem('service_not_found')
  const by = { accountSid, token, path: { serviceSid } }
  requireGrantFor('chat', by)
  return by
}

const uploadHandler = (
  { store, bytes, types, stallMs = STALL_MS }: MediaServing,
  shown: (row: MediaRow) => object,
) => {
  const turns = openTurns()
  return async (request: FastifyRequest, reply: FastifyReply): Promise<object> => {
    try {
      const { accountSid, token, path } = askedBy(request)
      const service = await requireService(store.reader, accountSid, path.serviceSid)
      using _turn = token
        ? turns.take(`${accountSid} ${token.identity}`, UPLOADS_OF_A_CLIENT_MAX)
        : turns.take(accountSid, UPLOADS_OF_AN_ACCOUNT_MAX)
      const { Category, Filename } = request.query as Record<string, unknown>
      const max = mediaLimitOf(service)
      const taken = [types, mediaTypesOf(service) ?? ['*']]
      const received = await receive(request.raw, { bytes, max, types: taken, stallMs })
      const row = await store
        .transact('media.create', (tx) =>
          addMedia(tx, {
            ...received,
            accountSid,
            serviceSid: service.sid,
            actor: token ? { kind: 'client', identity: token.identity } : { kind: 'api', webhooks: false },
            category: typeof Category === 'string' && CATEGORY.test(Category) ? Category : 'media',
            filename: filenameFrom(typeof Filename === 'string' ? Filename : null) ?? received.filename,
          }),
        )
        .catch(async (fault) => {
          await bytes.remove(received.keptAs)
          throw fault
        })
      reply.code(201)
      return shown(row)
    } finally {
      hangUpLater(request)
    }
  }
}

/** What was refused before it was whole is read no further than it takes to read the answer. */
const hangUpLater = ({ raw }: FastifyRequest): void => {
  if (raw.complete || raw.destroyed) return
  const late = setTimeout(() => raw.complete || raw.destroy(), LINGER_MS)
  raw.once('close', () => clearTimeout(late))
}

/** @throws 400 / 20001 for what is not `{ command: 'get', list: [{ media_sid }] }` */
const readSet = (body: unknown): string[] => {
  const { command, list } = (body ?? {}) as { command?: unknown; list?: unknown }
  if (command !== 'get')
    throw problem('invalid_parameter', { parameter: 'command', reason: 'it must be get' })
  const sids = Array.isArray(list) ? list.map((it) => (it as { media_sid?: unknown } | null)?.media_sid) : []
  if (!Array.isArray(list) || list.length > SET_MAX || !sids.every((it) => typeof it === 'string'))
    throw problem('invalid_parameter', {
      parameter: 'list',
      reason: `it must be a list of {"media_sid"}, ${SET_MAX} at the most`,
    })
  return sids as string[]
}

/** As the published clients read it. */
const showMedia = (row: MediaRow, publicUrl: string, temporary: string): object => {
  const path = `/v1/Services/${row.service_sid}/Media/${row.sid}`
  const [created, updated] = [row.date_created, row.date_updated].map((it) => new Date(it).toISOString())
  return {
    sid: row.sid,
    service_sid: row.service_sid,
    channel_sid: row.channel_sid,
    message_sid: row.message_sid,
    date_created: created,
    date_upload_updated: created,
    date_updated: updated,
    size: row.size,
    content_type: row.content_type,
    filename: row.filename,
    author: row.uploaded_by ?? SYSTEM_IDENTITY,
    category: row.category,
    is_multipart_upstream: false,
    url: publicUrl + path,
    links: { content: `${path}/Content`, content_direct_temporary: temporary },
  }
}

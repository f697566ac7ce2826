/**
 * The chat socket as any program would speak it: frames by hand over a plain WebSocket. Nothing of ours is imported,
 * so that the tests hold what is sent against the protocol's page and not against our own codec.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface RawFrame {
  readonly header: RawHeader
  /** Parsed; undefined without one. */
  readonly payload: unknown
}

export interface RawHeader {
  readonly method: string
  readonly id: string
  readonly payload_size?: number
  readonly status?: { code: number; status: string; description?: string; errorCode?: number }
  readonly http_status?: { code: number; status: string }
  readonly [name: string]: unknown
}

/** What the tests ask of an answer; everything they compare is compared whole. */
export interface RawAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, which the assertions look into
  readonly body: any
}

export const frameOf = (header: object, payload: string | Uint8Array = ''): Buffer => {
  const body = Buffer.from(payload as string)
  const head = JSON.stringify(body.length > 0 ? { ...header, payload_size: body.length } : header)
  return Buffer.concat([Buffer.from(`TWILSOCK V3.0 ${Buffer.byteLength(head)}\r\n${head}\r\n`), body])
}

export const readFrame = (bytes: Buffer): RawFrame => {
  const lineEnd = bytes.indexOf('\r\n')
  const [name, version, length, ...rest] = bytes.toString('latin1', 0, lineEnd).split(' ')
  assert.deepEqual([name, version, rest], ['TWILSOCK', 'V3.0', []])
  const headerEnd = lineEnd + 2 + Number(length)
  const header = JSON.parse(bytes.toString('utf8', lineEnd + 2, headerEnd)) as RawHeader
  assert.equal(bytes.toString('latin1', headerEnd, headerEnd + 2), '\r\n')
  const payload = bytes.subarray(headerEnd + 2)
  assert.equal(header.payload_size ?? 0, payload.length)
  if (payload.length === 0) return { header, payload: undefined }
  assert.equal(header.payload_type, 'application/json')
  return { header, payload: JSON.parse(payload.toString()) }
}

/** Longer than a machine stalls, and less than a test may take: what is waited for is told. */
const PATIENCE_MS = 60_000

let made = 0

/** An id as the published clients make theirs. */
const newId = (): string => `TM00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`

export class RawClient {
  readonly socket: WebSocket
  /** The code and reason that the connection ended with. */
  readonly ended: Promise<{ code: number; reason: string }>
  readonly #heard: RawFrame[] = []
  readonly #waiting: { fits: (frame: RawFrame) => boolean; take: (frame: RawFrame) => void }[] = []

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.ended = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.socket.on('message', (bytes: Buffer, isBinary) => {
      assert.ok(isBinary)
      const frame = readFrame(bytes)
      const at = this.#waiting.findIndex(({ fits }) => fits(frame))
      if (at < 0) this.#heard.push(frame)
      else this.#waiting.splice(at, 1)[0]?.take(frame)
    })
    // How it ended is in `ended`.
    this.socket.on('error', () => {})
  }

  /** @returns the id it has */
  send(
    header: { readonly method: string; readonly [name: string]: unknown },
    payload?: string | Uint8Array,
  ): string {
    const { id = newId() } = header
    this.socket.send(frameOf({ id, ...header }, payload))
    return id as string
  }

  /** The first frame heard that fits, whether it has come or is still to come. */
  next(fits: (frame: RawFrame) => boolean): Promise<RawFrame> {
    const at = this.#heard.findIndex(fits)
    if (at >= 0) return Promise.resolve(this.#heard.splice(at, 1)[0] as RawFrame)
    // Made here, it says which line of the test waits.
    const late = new Error()
    return new Promise((resolve, reject) => {
      const take = (frame: RawFrame): void => {
        clearTimeout(timer)
        resolve(frame)
      }
      const timer = setTimeout(() => {
        const others = this.#heard.map(({ header }) => JSON.stringify(header)).join('\n')
        late.message = `in ${PATIENCE_MS} ms no frame came for which ${fits}, but:\n${others}`
        reject(late)
      }, PATIENCE_MS).unref()
      this.#waiting.push({ fits, take })
    })
  }

  replyTo(id: string): Promise<RawFrame> {
    const isReply = ({ header }: RawFrame): boolean => header.method === 'reply' && header.id === id
    return this.next(Object.assign(isReply, { toString: () => `it is the reply to ${id}` }))
  }

  /** What has come and nobody has taken. */
  get untaken(): readonly RawFrame[] {
    return this.#heard
  }

  request(
    header: { readonly method: string; readonly [name: string]: unknown },
    payload?: string,
  ): Promise<RawFrame> {
    return this.replyTo(this.send(header, payload))
  }

  init(token: string, more: object = {}): Promise<RawFrame> {
    return this.request({ ...INIT, token, ...more })
  }

  /** A request through the tunnel. */
  async ask(method: string, path: string, body?: unknown, params: object = {}): Promise<RawAnswer> {
    const { header, payload } = await this.request(
      {
        method: 'message',
        active_grant: 'ip_messaging',
        payload_type: 'application/json; charset=utf-8',
        http_request: { host: 'aim.us1.twilio.com', method, path, params, headers: {} },
      },
      body === undefined ? undefined : JSON.stringify(body),
    )
    assert.equal(header.status?.code, 200, header.status?.description)
    assert.ok(header.http_status)
    return { status: header.http_status.code, body: payload }
  }

  close(): Promise<unknown> {
    this.socket.close()
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.ended
  }
}

const INIT = {
  method: 'init',
  continuation_token: null,
  metadata: { ver: '0.12.2', env: 'Node.js', type: 'chat', sdk: 'JS', sdkv: '6.0.0' },
  registrations: [
    {
      product: 'ip_messaging',
      type: 'ers',
      notification_protocol_version: 0,
      message_types: ['twilio.ipmsg.typing_indicator', 'twilio.sync.event'],
    },
  ],
  tweaks: null,
  capabilities: ['client_update', 'offline_storage', 'telemetry.v1'],
  payload_size: 0,
}

/** @param url `http://127.0.0.1:1234`, or with the path of the socket's door */
export const connect = async (url: string): Promise<RawClient> => {
  const address = new URL(url.replace(/^http/, 'ws'))
  if (address.pathname === '/') address.pathname = '/v3/wsconnect'
  const client = new RawClient(address.href)
  await once(client.socket, 'open')
  return client
}

export interface TokenOf {
  readonly sid: string
  readonly apiKeySid: string
  readonly apiKeySecret: string
}

/** An access token as the published libraries make theirs, right or wrong, over claims and header of one's own. */
export const tokenFor = (
  { sid, apiKeySid, apiKeySecret }: TokenOf,
  identity: string,
  serviceSid: string,
  {
    now = Date.now(),
    lives = 3600,
    claims = {},
    header = {},
  }: { now?: number; lives?: number; claims?: object; header?: object } = {},
): string => {
  const iat = Math.floor(now / 1000)
  const signed = [
    { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1', ...header },
    {
      jti: `${apiKeySid}-${iat}`,
      iss: apiKeySid,
      sub: sid,
      iat,
      exp: iat + lives,
      grants: { identity, chat: { service_sid: serviceSid } },
      ...claims,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${createHmac('sha256', apiKeySecret).update(signed).digest('base64url')}`
}

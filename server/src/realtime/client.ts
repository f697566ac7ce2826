/**
 * A connected client and what it may ask, as the sockets and the protocols behind them see each other. Everything but
 * media goes through one socket: requests that look like HTTP, their answers, and notifications.
 */
import type { AccessToken } from '../http/binding.ts'

/** One live connection of somebody who is believed. */
export interface Client {
  readonly accountSid: string
  readonly serviceSid: string
  readonly identity: string
  readonly userSid: string
  /** The one it showed last: a client renews it while it is connected. */
  readonly token: AccessToken
  /** The connection is over; what was asked before may still run. */
  readonly isGone: boolean
  /** A frame, encoded once for everybody who gets it. What cannot be sent in time ends the connection. */
  send(frame: Uint8Array): void
  /**
   * A frame of what the client has asked for, in its turn among the others. Resolves when it is on its way, or the
   * connection is over: whoever has much to give waits for that.
   */
  give(frame: Uint8Array): Promise<void>
  /** Ends the connection; the published clients come back within a second or two. */
  close(why: string): void
}

/** A request through the tunnel, its query and its body read. */
export interface TunnelledRequest {
  readonly method: string
  /** As it came: percent-encoded in part. */
  readonly path: string
  /** Decoded; of a name given twice, the last. */
  readonly query: Readonly<Record<string, string>>
  /** Parsed JSON, or a form as a record of texts; undefined without a body. */
  readonly body: unknown
}

/** Status and JSON body, as HTTP would carry them. */
export interface TunnelledAnswer {
  readonly status: number
  readonly body?: unknown
}

/** What stands behind the sockets. */
export interface Upstream {
  /**
   * Lets somebody in whose token is believed: their user is made if need be.
   * @throws a Problem that says why not: 20106 without a chat grant for a service of its account
   */
  arrive(token: AccessToken): Promise<Pick<Client, 'serviceSid' | 'userSid'>>
  /** They are here from now on. */
  join(client: Client): void
  /** @throws nothing: what is refused is an answer */
  answer(client: Client, request: TunnelledRequest): Promise<TunnelledAnswer>
  /** The connection is over; whatever it followed is forgotten. Called once for each that joined. */
  leave(client: Client): void
}

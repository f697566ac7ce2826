/**
 * Keeps webhooks out of the network we stand in: whoever can configure a webhook must not be able to make us call
 * our own neighbours.
 *
 * What is judged is the address that is dialled, after the name is resolved and within the same act, so a name
 * that answers differently the second time gains nothing. Only addresses that the whole internet can reach pass:
 * anything else (loopback, private, link-local, carrier NAT, multicast, documentation, and the IPv6 forms that
 * carry an IPv4 address inside) is refused by the name of its range.
 */
import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'

/** A name is resolved, a connection made and TLS agreed within this, or never: an abandoned dial ends by it. */
export const DIAL_TIMEOUT_MS = 15_000

/** IPv6 addresses handed out for the public internet; all else is special or not assigned. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3')

export class AddressRefused extends Error {
  override name = 'AddressRefused'
  readonly code = 'ADDRESS_REFUSED'
  readonly address: string
  readonly range: string

  constructor(host: string, address: string, range: string) {
    const which = host === address ? address : `${host} resolves to ${address}, which`
    super(`${which} is not a public address (${range}); only public ones are called`)
    this.address = address
    this.range = range
  }
}

/**
 * Why an address must not be called: the name of its range. Undefined when it may.
 * @param address IPv4 or IPv6, without brackets
 */
export const refusedRange = (address: string): string | undefined => {
  if (!ipaddr.isValid(address)) return 'not an address'
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range !== 'unicast') return range
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_IPV6)) return 'unassigned'
  return undefined
}

/** Asks for all addresses of a name; `node:dns` does. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  answer: (fault: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

export interface Guard {
  /** True where the endpoints stand on the same machine or network as we do. */
  readonly allowPrivate: boolean
  readonly resolve?: Resolve | undefined
}

export interface Dialler {
  /** For an undici `Agent`. Fails with `AddressRefused` when there is no other address to dial. */
  readonly connect: buildConnector.connector
  /** Gives up every dial under way: an agent that is destroyed waits for them. */
  hangUp(): void
}

/** Dials only what the guard lets pass. */
export const openDialler = ({ allowPrivate, resolve = lookup }: Guard): Dialler => {
  const dialling = new Set<Socket>()
  const dial = buildConnector({
    // Without HTTP/2: one slow answer on a shared connection would hold up its neighbours.
    allowH2: false,
    timeout: DIAL_TIMEOUT_MS,
    lookup: resolving(resolve, allowPrivate ? (all) => all : publicOnly),
  })
  return {
    connect(options, callback) {
      // An address written out is dialled without a lookup.
      const host = options.hostname.replace(/^\[|\]$/g, '')
      const range = allowPrivate || isIP(host) === 0 ? undefined : refusedRange(host)
      if (range !== undefined) return callback(new AddressRefused(host, host, range), null)

      // The connector's types leave out that it returns the socket it dials with.
      const socket = dial(options, (...outcome) => {
        dialling.delete(socket)
        callback(...outcome)
      }) as unknown as Socket
      dialling.add(socket)
    },
    hangUp() {
      for (const socket of dialling) socket.destroy(new Error('the caller was closed'))
    },
  }
}

/**
 * A name may have public and other addresses: the others are never dialled.
 * @throws AddressRefused when none is left
 */
export const publicOnly = (all: LookupAddress[], host: string): LookupAddress[] => {
  const judged = all.map((it) => ({ it, range: refusedRange(it.address) }))
  const passed = judged.filter(({ range }) => range === undefined)
  const [first] = judged
  if (passed.length === 0 && first) throw new AddressRefused(host, first.it.address, first.range ?? '')
  return passed.map(({ it }) => it)
}

const resolving =
  (resolve: Resolve, pick: (all: LookupAddress[], host: string) => LookupAddress[]): LookupFunction =>
  (host, { all, ...options }, answer) => {
    resolve(host, { ...options, all: true }, (fault, addresses) => {
      if (fault) return answer(fault, '')
      try {
        const picked = pick(addresses, host)
        const [first] = picked
        if (!first) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' })
        if (all) answer(null, picked)
        else answer(null, first.address, first.family)
      } catch (refused) {
        answer(refused as NodeJS.ErrnoException, '')
      }
    })
  }

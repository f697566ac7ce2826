/**
 * Who asks, where, and what they may do there. An account's back end may do everything. A client, which asks with an
 * access token, may do what its roles allow, sees public channels and those it is in, invited to or has made, and
 * finds nothing where the others are.
 */
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { MemberRow } from '@parley/contract/chat/member.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { type Problem, problem } from '@parley/contract/problem.ts'
import type { AccessToken, Call } from '../http/binding.ts'
import { find } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { lockChannel, lookForChannel } from './channel-row.ts'
import { type Action, allows } from './permission.ts'
import { permissionsOf } from './role.ts'
import { requireService } from './service-row.ts'

/** A client in a service and, where it is about one, in a channel. */
export interface Standing {
  readonly identity: string
  readonly permissions: ReadonlySet<string>
  readonly member: MemberRow | undefined
  readonly invited: boolean
}

/** `me` is absent when an account's back end asks. */
export interface InService {
  readonly service: ServiceRow
  readonly me: Standing | undefined
}

export interface InChannel {
  readonly channel: ChannelRow
  readonly me: Standing | undefined
}

/** Whose resources, which of them, and who asks. */
type Asked<Path> = Pick<Call<Path>, 'accountSid' | 'token' | 'path'>
type ServiceCall = Asked<{ readonly serviceSid: string }>
type ChannelCall = Asked<{ readonly serviceSid: string; readonly channelSid: string }>

/** @throws 404 / 20404 that names what is missing by its path */
export const missing = (...path: readonly string[]): Problem =>
  problem('not_found', { path: `/${path.map(encodeURIComponent).join('/')}` })

/**
 * The service of a request.
 * @throws 50050 where there is none; 50107 where the client's token is for another
 */
export const inService = async (reader: Reader, call: ServiceCall): Promise<InService> => {
  requireGrant(call)
  const service = await requireService(reader, call.accountSid, call.path.serviceSid)
  return { service, me: call.token && (await standingIn(reader, service.sid, call.token)) }
}

/**
 * The channel of a request, as it stands.
 * @throws 50050 without its service, 404 without it
 */
export const inChannel = (reader: Reader, call: ChannelCall): Promise<InChannel> =>
  placeOf(reader, call, lookForChannel(reader, call.accountSid, call.path.serviceSid, call.path.channelSid))

/** The same, locked until the transaction ends: nobody else changes anything in it meanwhile. */
export const inLockedChannel = (tx: Tx, call: ChannelCall): Promise<InChannel> =>
  placeOf(tx, call, lockChannel(tx, call.accountSid, call.path.channelSid, call.path.serviceSid))

const placeOf = async (
  reader: Reader,
  call: ChannelCall,
  looking: Promise<ChannelRow | undefined>,
): Promise<InChannel> => {
  requireGrant(call)
  const channel = await looking
  if (!channel) return noChannel(reader, call)
  if (!call.token) return { channel, me: undefined }
  const me = await standingIn(reader, channel.service_sid, call.token, channel)
  return sees(me, channel) ? { channel, me } : noChannel(reader, call)
}

/** The service is looked at only now: while a channel exists, so does its service. */
export const noChannel = async (
  reader: Reader,
  { accountSid, path }: Pick<ChannelCall, 'accountSid' | 'path'>,
): Promise<never> => {
  await requireService(reader, accountSid, path.serviceSid)
  throw missing('Services', path.serviceSid, 'Channels', path.channelSid)
}

/** A client's token names the one service it is good for. */
const requireGrant = ({ token, path }: ServiceCall): void => {
  if (token && chatGrantOf(token).service_sid !== path.serviceSid) throw problem('not_permitted')
}

/** The part of a token for chat: the service, and the role there of somebody who is no user yet. */
const chatGrantOf = ({ grants }: AccessToken): { service_sid?: unknown; deployment_role_sid?: unknown } =>
  typeof grants.chat === 'object' && grants.chat !== null ? grants.chat : {}

/** @returns the role's SID: the user's, else the token's, else the service's default */
const roleInService = async (reader: Reader, serviceSid: string, token: AccessToken): Promise<string> => {
  const user = await find(reader, 'users', { service_sid: serviceSid, identity: token.identity })
  if (user) return user.role_sid
  const { deployment_role_sid: granted } = chatGrantOf(token)
  if (typeof granted === 'string') return granted
  return (await requireService(reader, token.accountSid, serviceSid)).default_service_role_sid
}

const standingIn = async (
  reader: Reader,
  serviceSid: string,
  token: AccessToken,
  channel?: ChannelRow,
): Promise<Standing> => {
  const { identity } = token
  const member = channel && (await find(reader, 'members', { channel_sid: channel.sid, identity }))
  const invite = channel && !member && (await find(reader, 'invites', { channel_sid: channel.sid, identity }))
  const ofUser = await permissionsOf(reader, serviceSid, await roleInService(reader, serviceSid, token))
  const ofMember = member ? await permissionsOf(reader, serviceSid, member.role_sid) : []
  return { identity, permissions: new Set([...ofUser, ...ofMember]), member, invited: invite !== undefined }
}

const sees = ({ identity, member, invited }: Standing, channel: ChannelRow): boolean =>
  channel.type === 'public' || member !== undefined || invited || channel.created_by === identity

/** @throws 50107 where a client may not */
export const requirePermission = (me: Standing | undefined, action: Action, own = false): void => {
  if (me && !allows(me.permissions, action, own)) throw problem('not_permitted')
}

/** @throws 50400 for a client who is not a member: what is said in a channel, and by whom, is for its members */
export const requireMembership = (me: Standing | undefined): void => {
  if (me && !me.member) throw problem('not_a_member')
}

/** @throws 50107 for a client: dates, authors and roles are for the account's back end to set */
export const requireBackEnd = (me: Standing | undefined, ...asked: readonly unknown[]): void => {
  if (me && asked.some((it) => it !== undefined)) throw problem('not_permitted')
}

/**
 * Users as clients see them. Whoever is in a service may know the others by name, and what an app has written of them;
 * who is in a channel with whom is for its members.
 */
import { Member } from '@parley/contract/chat/member.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { User } from '@parley/contract/chat/user.ts'
import { problem } from '@parley/contract/problem.ts'
import { sql } from 'kysely'
import { FOLLOWED, findUser, requireService } from '../../../chat/index.ts'
import { reading } from '../../../store/query.ts'
import type { Reader } from '../../../store/tx.ts'
import type { TunnelledAnswer } from '../../client.ts'
import { type Asked, inChannel } from './asked.ts'
import { requireName } from './decoded.ts'
import { formOf } from './form.ts'
import { pageOf, readPage } from './page.ts'
import { inServiceAddress } from './shown.ts'

interface Known {
  readonly sid: string
  readonly identity: string
  readonly friendly_name: string | null
  readonly attributes: string
}

const usersCalled = reading((db, at: { serviceSid: string; identities: string }, { isOneOf }) =>
  db
    .selectFrom('users')
    .select(['sid', 'identity', 'friendly_name', 'attributes'])
    .where('service_sid', '=', at.serviceSid)
    .where(isOneOf(sql.ref('identity'), at.identities)),
)

const onlineAmong = reading((db, at: { sids: string }, { isOneOf }) =>
  db
    .selectFrom('presences')
    .select('user_sid')
    .where(isOneOf(sql.ref('user_sid'), at.sids)),
)

/** Who of them is here; nothing where the service does not report it. */
const presenceOf = async (
  reader: Reader,
  service: ServiceRow,
  users: readonly Known[],
): Promise<ReadonlySet<string> | undefined> => {
  if (service.reachability_enabled !== 1) return undefined
  const sids = JSON.stringify(users.map((it) => it.sid))
  const online = users.length ? await onlineAmong.all(reader, { sids }) : []
  return new Set(online.map((it) => it.user_sid))
}

type Where = Pick<Asked, 'api' | 'client' | 'serviceSid' | 'version'>

/** Users as they are shown, each with the name by which they can be followed. */
const shown = async (asked: Where, users: readonly Known[]): Promise<object[]> => {
  const { api, client, serviceSid } = asked
  const service = await requireService(api.reader, client.accountSid, serviceSid)
  const online = await presenceOf(api.reader, service, users)
  return users.map((user) => ({
    sid: user.sid,
    identity: user.identity,
    friendly_name: user.friendly_name,
    attributes: user.attributes,
    is_online: online ? online.has(user.sid) : null,
    is_notifiable: online ? false : null,
    sync_unique_name: FOLLOWED.info(user.sid),
    sync_objects: { user_info_map: FOLLOWED.info(user.sid) },
    url: inServiceAddress(asked, `Users/${encodeURIComponent(user.identity)}`),
  }))
}

/** @throws 20404 where the service has no such user */
export const fetchUser = async (asked: Where, identity: string): Promise<TunnelledAnswer> => {
  const user = await findUser(asked.api.reader, asked.serviceSid, identity)
  if (!user) throw problem('not_found', { path: `Users/${identity}` })
  const [body] = await shown(asked, [user])
  return { status: 200, body }
}

export const updateUser = async (asked: Asked, identity: string): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, body } = asked
  const path = { serviceSid, sid: identity }
  const form = formOf(body, ['friendly_name', 'attributes'])
  const user = await api.perform(User, 'update', { token, path, form })
  return { status: 200, body: (await shown(asked, [user]))[0] }
}

/** Those in a channel that the client is a member of. @throws 50400 for another, 20001 where no channel is named */
export const listUsers = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { api, token, serviceSid, query } = asked
  const named = query.ConversationSid ?? query.ChannelSid
  if (named === undefined) throw problem('missing_parameter', { parameter: 'ConversationSid' })
  const channelSid = requireName(named)
  const page = readPage(query.PageToken)
  const path = { serviceSid, channelSid }
  const members = await inChannel(asked, channelSid, api.perform(Member, 'list', { token, path, page }))
  const { rows, previous, next } = pageOf(members, page, (it) => it.sid)
  const identities = JSON.stringify(rows.map((it) => it.identity))
  const users = rows.length ? await usersCalled.all(api.reader, { serviceSid, identities }) : []
  return {
    status: 200,
    body: { users: await shown(asked, users), meta: { prev_token: previous, next_token: next } },
  }
}

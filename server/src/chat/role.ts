/** Roles: named sets of permissions, for users in the whole service or for members in a channel. */
import { Role, type RoleRow } from '@parley/contract/chat/role.ts'
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { type ProblemName, problem } from '@parley/contract/problem.ts'
import { bind } from '../http/binding.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { insert, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { isPermission, type RoleType } from './permission.ts'
import { holdService, requireService } from './service-row.ts'

const roleBySid = reading((db, at: { serviceSid: string; sid: string }) =>
  db.selectFrom('roles').selectAll().where('sid', '=', at.sid).where('service_sid', '=', at.serviceSid),
)

const rolesOf = listing('roles', 'sid', (query, at: { serviceSid: string }) =>
  query.where('service_sid', '=', at.serviceSid),
)

export const findRole = (reader: Reader, serviceSid: string, sid: string): Promise<RoleRow | undefined> =>
  roleBySid.first(reader, { serviceSid, sid })

/**
 * A role that is to be given to somebody.
 * @throws `missing` where the service has no such role; 50105 where it is of the other type
 */
export const requireRole = async (
  reader: Reader,
  service: Pick<ServiceRow, 'sid'>,
  sid: string,
  type: RoleType,
  missing: ProblemName,
): Promise<RoleRow> => {
  const role = await findRole(reader, service.sid, sid)
  if (!role) throw problem(missing)
  if (role.type !== type) throw problem('role_type', { type })
  return role
}

/** What the role allows; a role that is gone allows nothing. */
export const permissionsOf = async (
  reader: Reader,
  serviceSid: string,
  roleSid: string,
): Promise<readonly string[]> => {
  const role = await findRole(reader, serviceSid, roleSid)
  return role ? (JSON.parse(role.permissions) as string[]) : []
}

const checked = (type: RoleType, permissions: readonly string[]): string => {
  for (const permission of permissions)
    if (!isPermission(type, permission)) throw problem('permission_unknown', { permission, type })
  return JSON.stringify([...new Set(permissions)])
}

/** @throws 50104 for a permission that a role of its type cannot have */
export const createRole = async (
  tx: Tx,
  {
    service,
    friendlyName,
    type,
    permissions,
  }: {
    service: Pick<ServiceRow, 'sid' | 'account_sid'>
    friendlyName: string
    type: RoleType
    permissions: readonly string[]
  },
): Promise<RoleRow> => {
  const row: RoleRow = {
    sid: tx.newSid('RL'),
    account_sid: service.account_sid,
    service_sid: service.sid,
    friendly_name: friendlyName,
    type,
    permissions: checked(type, permissions),
    date_created: tx.now(),
    date_updated: tx.now(),
  }
  await insert(tx, 'roles', row)
  return row
}

/** A service must keep what its newcomers get. */
const requireNotDefault = (service: ServiceRow, role: RoleRow): void => {
  const defaults = [
    service.default_service_role_sid,
    service.default_channel_role_sid,
    service.default_channel_creator_role_sid,
  ]
  if (defaults.includes(role.sid))
    throw problem('in_use', { what: `Role ${role.friendly_name}`, by: 'it is a default role of the service' })
}

export const roles = bind(Role, {
  list: async (reader, { accountSid, path, page }) => {
    const { sid } = await requireService(reader, accountSid, path.serviceSid)
    return rolesOf(reader, { serviceSid: sid }, page)
  },
  fetch: async (reader, { accountSid, path }) => {
    const { sid } = await requireService(reader, accountSid, path.serviceSid)
    return findRole(reader, sid, path.sid)
  },
  create: async (tx, { accountSid, path, input: { friendlyName, type, permission } }) => {
    const service = await requireService(tx, accountSid, path.serviceSid)
    if (friendlyName === '') throw problem('friendly_name_missing')
    await holdService(tx, service)
    return createRole(tx, { service, friendlyName, type, permissions: permission })
  },
  update: async (tx, { accountSid, path, input }) => {
    const service = await requireService(tx, accountSid, path.serviceSid)
    const role = await findRole(tx, service.sid, path.sid)
    if (!role) return undefined
    const permissions = checked(role.type, input.permission)
    return update(tx, 'roles', { sid: role.sid }, { permissions, date_updated: tx.now() })
  },
  delete: async (tx, { accountSid, path }) => {
    const service = await requireService(tx, accountSid, path.serviceSid)
    const role = await findRole(tx, service.sid, path.sid)
    if (!role) return false
    requireNotDefault(service, role)
    return (await remove(tx, 'roles', { sid: role.sid })) > 0
  },
})

/** The roles that Flex gives: to the members of its channels, and to guests in the whole service. */
import type { ServiceRow } from '@parley/contract/chat/service.ts'
import { createRole, DEFAULT_ROLES } from '../chat/index.ts'
import { find } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'

const EVERYBODY = [
  ...DEFAULT_ROLES['channel user'].permissions,
  // The published widget and desktop end a conversation by the status among the channel's attributes.
  'editChannelAttributes',
] as const

const PERMISSIONS = {
  guest: EVERYBODY,
  agent: [...EVERYBODY, 'editChannelName', 'addMember', 'inviteMember', 'removeMember'],
} as const

export type FlexRole = keyof typeof PERMISSIONS

const GUEST = 'guest'

/** Anybody at all can be a guest, so guests make no channels and join none by themselves. */
const GUEST_IN_SERVICE = ['editOwnUserInfo'] as const

/** Makes the roles in a chat service that Flex is to use. */
export const provisionRoles = async (tx: Tx, service: ServiceRow): Promise<void> => {
  for (const [friendlyName, permissions] of Object.entries(PERMISSIONS))
    await createRole(tx, { service, friendlyName, type: 'channel', permissions })
  await createRole(tx, { service, friendlyName: GUEST, type: 'deployment', permissions: GUEST_IN_SERVICE })
}

/** A guest's role in the whole service, where it is one that was made for Flex. */
export const guestRoleSidOf = async (
  reader: Reader,
  service: Pick<ServiceRow, 'sid'>,
): Promise<string | undefined> =>
  (await find(reader, 'roles', { service_sid: service.sid, friendly_name: GUEST, type: 'deployment' }))?.sid

/** The role by its name; a service that was not made for Flex gives agents the role of a channel's creator. */
export const roleSidOf = async (
  reader: Reader,
  service: ServiceRow,
  role: FlexRole,
): Promise<string | undefined> => {
  const found = await find(reader, 'roles', {
    service_sid: service.sid,
    friendly_name: role,
    type: 'channel',
  })
  if (found) return found.sid
  return role === 'agent' ? service.default_channel_creator_role_sid : undefined
}

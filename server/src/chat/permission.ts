/**
 * What roles allow. A client acts by its role in the service (`deployment`) together with its role in the channel it
 * is a member of (`channel`); what either allows is allowed. An account's back end is never asked for a role.
 *
 * Names and default roles are those of Programmable Chat.
 */

/** What only a role in the whole service can allow. */
const DEPLOYMENT_ONLY = ['createChannel', 'joinChannel', 'editOwnUserInfo', 'editAnyUserInfo'] as const

/** What only a member's role can allow. */
const CHANNEL_ONLY = ['sendMessage', 'sendMediaMessage', 'leaveChannel', 'editNotificationLevel'] as const

/** In a role of the service they hold in every channel, in a member's role in that one. */
const EITHER = [
  'addMember',
  'inviteMember',
  'removeMember',
  'destroyChannel',
  'editChannelName',
  'editChannelAttributes',
  'editOwnMemberAttributes',
  'editAnyMemberAttributes',
  'editOwnMessage',
  'editAnyMessage',
  'editOwnMessageAttributes',
  'editAnyMessageAttributes',
  'deleteOwnMessage',
  'deleteAnyMessage',
] as const

export type Permission = (typeof DEPLOYMENT_ONLY | typeof CHANNEL_ONLY | typeof EITHER)[number]

export type RoleType = 'deployment' | 'channel'

const known: Record<RoleType, ReadonlySet<string>> = {
  deployment: new Set([...DEPLOYMENT_ONLY, ...EITHER]),
  channel: new Set([...CHANNEL_ONLY, ...EITHER]),
}

export const isPermission = (type: RoleType, permission: string): boolean => known[type].has(permission)

interface Ruling {
  /** Any of them will do, whoever the thing belongs to. */
  readonly any: readonly Permission[]
  /** Any of them will do for what is one's own. */
  readonly own?: readonly Permission[]
}

/** Each thing that a client can do, and the permissions that let it. */
const rulings = {
  'create channel': { any: ['createChannel'] },
  'destroy channel': { any: ['destroyChannel'] },
  'name channel': { any: ['editChannelName'] },
  'edit channel attributes': { any: ['editChannelAttributes'] },
  'join channel': { any: ['joinChannel'] },
  'add member': { any: ['addMember'] },
  'remove member': { any: ['removeMember'], own: ['leaveChannel'] },
  'edit member attributes': { any: ['editAnyMemberAttributes'], own: ['editOwnMemberAttributes'] },
  'invite member': { any: ['inviteMember'] },
  'set notification level': { any: [], own: ['editNotificationLevel'] },
  'send message': { any: ['sendMessage'] },
  'send media message': { any: ['sendMediaMessage'] },
  'edit message': { any: ['editAnyMessage'], own: ['editOwnMessage'] },
  'edit message attributes': { any: ['editAnyMessageAttributes'], own: ['editOwnMessageAttributes'] },
  'delete message': { any: ['deleteAnyMessage'], own: ['deleteOwnMessage'] },
  'edit user': { any: ['editAnyUserInfo'], own: ['editOwnUserInfo'] },
} as const satisfies Record<string, Ruling>

export type Action = keyof typeof rulings

/** Whether someone with these permissions may do it; `own` tells whether it is done to what is theirs. */
export const allows = (permissions: ReadonlySet<string>, action: Action, own = false): boolean => {
  const ruling: Ruling = rulings[action]
  return (
    ruling.any.some((it) => permissions.has(it)) ||
    (own && (ruling.own ?? []).some((it) => permissions.has(it)))
  )
}

/** The roles that every service begins with. */
export const DEFAULT_ROLES = {
  'service admin': {
    type: 'deployment',
    permissions: [
      'createChannel',
      'joinChannel',
      'destroyChannel',
      'editChannelAttributes',
      'editChannelName',
      'addMember',
      'inviteMember',
      'removeMember',
      'editAnyMemberAttributes',
      'editAnyMessage',
      'deleteAnyMessage',
      'editAnyMessageAttributes',
      'editAnyUserInfo',
    ],
  },
  'service user': { type: 'deployment', permissions: ['createChannel', 'joinChannel', 'editOwnUserInfo'] },
  'channel admin': {
    type: 'channel',
    permissions: [
      'sendMessage',
      'sendMediaMessage',
      'leaveChannel',
      'editNotificationLevel',
      'destroyChannel',
      'inviteMember',
      'removeMember',
      'editChannelName',
      'editChannelAttributes',
      'addMember',
      'editAnyMemberAttributes',
      'editAnyMessage',
      'editAnyMessageAttributes',
      'deleteAnyMessage',
    ],
  },
  'channel user': {
    type: 'channel',
    permissions: [
      'sendMessage',
      'sendMediaMessage',
      'leaveChannel',
      'editNotificationLevel',
      'editOwnMemberAttributes',
      'editOwnMessage',
      'editOwnMessageAttributes',
      'deleteOwnMessage',
    ],
  },
} as const satisfies Record<string, { type: RoleType; permissions: readonly Permission[] }>

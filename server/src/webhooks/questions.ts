/**
 * What pre-event webhooks are asked: for each verb that a client can use, Twilio's name for the question, the fields
 * of its form, and which of them the answer may replace. The fields tell what is wanted: a change that was not asked
 * for is told as it stands.
 *
 * A question about what does not exist is not asked; the verb answers that.
 */
import { isSid } from '@parley/contract/field.ts'
import type { ResourceDeclaration, Verb } from '@parley/contract/resource.ts'
import type { Selectable } from 'kysely'
import { findMember } from '../chat/index.ts'
import type { Call } from '../http/binding.ts'
import { find } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader } from '../store/tx.ts'
import { type Fields, iso } from './spelling.ts'

export interface Question {
  /** `onMessageSend`: as the service's filters name it. */
  readonly eventType: string
  readonly channelSid: string | null
  readonly messageSid: string | null
  readonly fields: Fields
  /** The keys of the answer, each with the parameter of the request that it replaces. */
  readonly replaces: Readonly<Record<string, string>>
}

/** A request by a client: what it names, what it wants, and who it is. */
interface Wish {
  readonly reader: Reader
  readonly accountSid: string
  readonly serviceSid: string
  readonly path: Readonly<Record<string, string>>
  readonly input: Readonly<Record<string, string | undefined>>
  readonly identity: string
}

type Ask = (wish: Wish) => Promise<Question | undefined>

type Channel = Selectable<Tables['channels']>

const channelOf = (
  { reader, accountSid, serviceSid }: Wish,
  sidOrUniqueName: string | undefined,
): Promise<Channel | undefined> => {
  const key = sidOrUniqueName ?? ''
  const which = isSid('CH', key) ? { sid: key } : { unique_name: key }
  return find(reader, 'channels', { account_sid: accountSid, service_sid: serviceSid, ...which })
}

const MESSAGE = { body: 'Body', attributes: 'Attributes' }
const CHANNEL = { friendly_name: 'FriendlyName', unique_name: 'UniqueName', attributes: 'Attributes' }
const MEMBER = { role_sid: 'RoleSid', attributes: 'Attributes' }
const USER = { friendly_name: 'FriendlyName', role_sid: 'RoleSid', attributes: 'Attributes' }
const NOTHING = {}

const onMessageSend: Ask = async (wish) => {
  const { input, path, identity, reader } = wish
  const channel = await channelOf(wish, path.channelSid)
  return (
    channel && {
      eventType: input.mediaSid ? 'onMediaMessageSend' : 'onMessageSend',
      channelSid: channel.sid,
      messageSid: null,
      fields: {
        ChannelSid: channel.sid,
        Body: input.body ?? '',
        Attributes: input.attributes ?? '{}',
        From: identity,
        DateCreated: iso(reader.now()),
        ...(input.mediaSid ? { MediaSid: input.mediaSid } : {}),
      },
      replaces: MESSAGE,
    }
  )
}

const aboutMessage =
  (eventType: string, replaces: Question['replaces'], more: (wish: Wish) => Fields): Ask =>
  async (wish) => {
    const { input, path, reader } = wish
    const channel = await channelOf(wish, path.channelSid)
    const message =
      channel && (await find(reader, 'messages', { channel_sid: channel.sid, sid: path.sid ?? '' }))
    return (
      message && {
        eventType,
        channelSid: channel.sid,
        messageSid: message.sid,
        fields: {
          ChannelSid: channel.sid,
          MessageSid: message.sid,
          Body: input.body ?? message.body ?? '',
          Attributes: input.attributes ?? message.attributes ?? '{}',
          From: message.from ?? '',
          DateCreated: iso(message.date_created),
          ...more(wish),
        },
        replaces,
      }
    )
  }

const onChannelAdd: Ask = async ({ input, identity }) => ({
  eventType: 'onChannelAdd',
  channelSid: null,
  messageSid: null,
  fields: {
    ChannelType: input.type ?? 'public',
    FriendlyName: input.friendlyName ?? '',
    UniqueName: input.uniqueName ?? '',
    Attributes: input.attributes ?? '{}',
    CreatedBy: identity,
  },
  replaces: CHANNEL,
})

const aboutChannel =
  (eventType: string, replaces: Question['replaces'], more: (channel: Channel) => Fields): Ask =>
  async (wish) => {
    const { input, path } = wish
    const channel = await channelOf(wish, path.sid)
    return (
      channel && {
        eventType,
        channelSid: channel.sid,
        messageSid: null,
        fields: {
          ChannelSid: channel.sid,
          FriendlyName: input.friendlyName ?? channel.friendly_name ?? '',
          UniqueName: input.uniqueName ?? channel.unique_name ?? '',
          Attributes: input.attributes ?? channel.attributes ?? '{}',
          CreatedBy: channel.created_by ?? '',
          DateCreated: iso(channel.date_created),
          ...more(channel),
        },
        replaces,
      }
    )
  }

const onMemberAdd: Ask = async (wish) => {
  const { input, path, identity } = wish
  const channel = await channelOf(wish, path.channelSid)
  return (
    channel && {
      eventType: 'onMemberAdd',
      channelSid: channel.sid,
      messageSid: null,
      fields: {
        ChannelSid: channel.sid,
        Identity: input.identity ?? '',
        RoleSid: input.roleSid ?? '',
        Reason: input.identity === identity ? 'JOINED' : 'ADDED',
      },
      replaces: MEMBER,
    }
  )
}

const aboutMember =
  (
    eventType: string,
    replaces: Question['replaces'],
    more: (wish: Wish, member: { identity: string }) => Fields,
  ): Ask =>
  async (wish) => {
    const { input, path, reader } = wish
    const channel = await channelOf(wish, path.channelSid)
    const member = channel && (await findMember(reader, channel.sid, path.sid ?? ''))
    return (
      member && {
        eventType,
        channelSid: channel.sid,
        messageSid: null,
        fields: {
          ChannelSid: channel.sid,
          MemberSid: member.sid,
          Identity: member.identity,
          RoleSid: input.roleSid ?? member.role_sid,
          ...more(wish, member),
        },
        replaces,
      }
    )
  }

const removed = ({ identity }: Wish, member: { identity: string }): Fields => ({
  Reason: member.identity === identity ? 'LEFT' : 'REMOVED',
})

const userOf = ({ reader, accountSid, serviceSid }: Wish, sidOrIdentity: string | undefined) => {
  const key = sidOrIdentity ?? ''
  const which = isSid('US', key) ? { sid: key } : { identity: key }
  return find(reader, 'users', { account_sid: accountSid, service_sid: serviceSid, ...which })
}

/** A user who leaves through the list of its own channels. */
const onUserChannelRemoved: Ask = async (wish) => {
  const user = await userOf(wish, wish.path.userSid)
  if (!user) return undefined
  const path = { channelSid: wish.path.channelSid ?? wish.path.sid ?? '', sid: user.identity }
  return aboutMember('onMemberRemove', NOTHING, removed)({ ...wish, path })
}

const onUserUpdate: Ask = async (wish) => {
  const user = await userOf(wish, wish.path.sid)
  return (
    user && {
      eventType: 'onUserUpdate',
      channelSid: null,
      messageSid: null,
      fields: {
        UserSid: user.sid,
        Identity: user.identity,
        FriendlyName: wish.input.friendlyName ?? user.friendly_name ?? '',
        RoleSid: wish.input.roleSid ?? user.role_sid,
        Attributes: wish.input.attributes ?? user.attributes ?? '{}',
        DateCreated: iso(user.date_created),
        DateUpdated: iso(user.date_updated),
      },
      replaces: USER,
    }
  )
}

const questions: Readonly<Record<string, Partial<Record<Verb, Ask>>>> = {
  'chat.v2.service.channel.message': {
    create: onMessageSend,
    update: aboutMessage('onMessageUpdate', MESSAGE, ({ identity }) => ({ ModifiedBy: identity })),
    delete: aboutMessage('onMessageRemove', NOTHING, () => ({})),
  },
  'chat.v2.service.channel': {
    create: onChannelAdd,
    update: aboutChannel('onChannelUpdate', CHANNEL, () => ({})),
    delete: aboutChannel('onChannelDestroy', NOTHING, ({ type }) => ({ ChannelType: type })),
  },
  'chat.v2.service.channel.member': {
    create: onMemberAdd,
    update: aboutMember('onMemberUpdate', MEMBER, () => ({})),
    delete: aboutMember('onMemberRemove', NOTHING, removed),
  },
  'chat.v2.service.user': { update: onUserUpdate },
  'chat.v2.service.user.user_channel': { delete: onUserChannelRemoved },
}

/** Whether any service may want to be asked before this verb of this resource. */
export const isAsked = ({ name }: ResourceDeclaration, verb: Verb): boolean =>
  questions[name]?.[verb] !== undefined

export const questionFor = async (
  reader: Reader,
  { name }: ResourceDeclaration,
  verb: Verb,
  { accountSid, path, input, token }: Call,
): Promise<Question | undefined> => {
  const values = path as Wish['path']
  return questions[name]?.[verb]?.({
    reader,
    accountSid,
    serviceSid: values.serviceSid ?? '',
    path: values,
    input: input as Wish['input'],
    identity: token?.identity ?? '',
  })
}

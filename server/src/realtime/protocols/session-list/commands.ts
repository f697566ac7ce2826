/**
 * What the older clients write into their list: each command is an operation of REST, and its answer a status of 200
 * or the code of the error. A name that is not here is refused as one, so that a client does not wait for ever.
 */
import { Channel } from '@parley/contract/chat/channel.ts'
import { Invite } from '@parley/contract/chat/invite.ts'
import { Member } from '@parley/contract/chat/member.ts'
import { Message } from '@parley/contract/chat/message.ts'
import { User } from '@parley/contract/chat/user.ts'
import { type Problem, problem } from '@parley/contract/problem.ts'
import { FOLLOWED } from '../../../chat/index.ts'
import { refusalIn } from '../../../store/away.ts'
import { find } from '../../../store/rows.ts'
import { type Asked, inChannel, seenChannel } from '../chat/asked.ts'
import { requireName } from '../chat/decoded.ts'
import { written } from '../chat/form.ts'
import { changeMine, readNothing } from '../chat/my-conversations.ts'
import { deleteInvite } from '../chat/participants.ts'

/** As many channels as are reported on at once. */
const REPORT_MAX = 100

/** Some clients write it as a text. */
const INDEX = /^\d{1,15}$/

type Asking = Pick<Asked, 'api' | 'client' | 'token' | 'serviceSid'>

type Request = Readonly<Record<string, unknown>>

/** @returns what stands in the answer beside its status */
type Command = (asked: Asking, request: Request) => Promise<object>

/** Runs a command. @returns its answer: `status` 200, or the code of the error that `statusText` tells of */
export const runCommand = async (
  asked: Asking,
  data: unknown,
  onFault: (fault: unknown) => void,
): Promise<object> => {
  try {
    const { request } = (data ?? {}) as { request?: unknown }
    const wish = (typeof request === 'object' && request !== null ? request : {}) as Request
    const action = String(wish.action)
    const command = Object.hasOwn(commands, action) ? commands[action] : undefined
    if (!command)
      throw problem('invalid_parameter', {
        parameter: 'action',
        reason: `there is no ${action.slice(0, 64)}`,
      })
    return { status: 200, statusText: 'OK', ...(await command(asked, wish)) }
  } catch (fault) {
    const why = refusalIn(fault)
    if (!why) onFault(fault)
    const { code, message } = why ?? problem('internal')
    return { status: code, statusText: message }
  }
}

/** @throws 20001 where it is not there, 20404 for what nothing is called */
const textOf = (request: Request, name: string): string => {
  const value = request[name]
  if (typeof value !== 'string') throw problem('missing_parameter', { parameter: name })
  return requireName(value)
}

const channelOf = (request: Request): string => textOf(request, 'channelSid')

/** What stands in the form is what was given. */
const formOf = (request: Request, names: Readonly<Record<string, string>>): Record<string, unknown> => {
  const form: Record<string, unknown> = {}
  for (const [name, wire] of Object.entries(names))
    if (request[name] !== undefined && request[name] !== null) form[wire] = written(request[name])
  return form
}

const changeChannel =
  (names: Readonly<Record<string, string>>): Command =>
  async (asked, request) => {
    const { api, token, serviceSid } = asked
    const channelSid = channelOf(request)
    const path = { serviceSid, sid: channelSid }
    const form = formOf(request, names)
    await inChannel(asked, channelSid, api.perform(Channel, 'update', { token, path, form }))
    return {}
  }

const addMember = async (asked: Asking, channelSid: string, identity: string): Promise<object> => {
  const { api, token, serviceSid } = asked
  const path = { serviceSid, channelSid }
  const adding = api.perform(Member, 'create', { token, path, form: { Identity: identity } })
  const member = await inChannel(asked, channelSid, adding)
  return { memberSid: member.sid }
}

const removeMember = async (asked: Asking, channelSid: string, sid: string): Promise<object> => {
  const { api, token, serviceSid } = asked
  const path = { serviceSid, channelSid, sid }
  await inChannel(asked, channelSid, api.perform(Member, 'delete', { token, path }))
  return {}
}

const send =
  (names: Readonly<Record<string, string>>): Command =>
  async (asked, request) => {
    const { api, token, serviceSid } = asked
    const channelSid = channelOf(request)
    const path = { serviceSid, channelSid }
    const form = formOf(request, names)
    const sending = api.perform(Message, 'create', { token, path, form })
    const { index, sid } = await inChannel(asked, channelSid, sending)
    return { messageId: index, messageSid: sid }
  }

/** Messages are addressed by their index. @throws 50300 for a channel that is not seen, 20404 without the message */
const messagePath = async (asked: Asking, request: Request) => {
  const { api, serviceSid } = asked
  const channel = await seenChannel(asked, channelOf(request))
  const named = String(request.messageIdx)
  const at = { channel_sid: channel.sid, index: Number(named) }
  const message = INDEX.test(named) ? await find(api.reader, 'messages', at) : undefined
  if (!message) throw problem('not_found', { path: `Messages/${named.slice(0, 64)}` })
  return { serviceSid, channelSid: channel.sid, sid: message.sid }
}

const changeMessage =
  (names: Readonly<Record<string, string>>): Command =>
  async (asked, request) => {
    const path = await messagePath(asked, request)
    await asked.api.perform(Message, 'update', { token: asked.token, path, form: formOf(request, names) })
    return {}
  }

const changeUser =
  (names: Readonly<Record<string, string>>): Command =>
  async ({ api, token, serviceSid }, request) => {
    const path = { serviceSid, sid: textOf(request, 'username') }
    await api.perform(User, 'update', { token, path, form: formOf(request, names) })
    return {}
  }

/** Each report for itself: a channel that is missing from the answer was not reported on. */
const report: Command = async (asked, { report: entries }) => {
  if (!Array.isArray(entries) || entries.length > REPORT_MAX)
    throw problem('invalid_parameter', {
      parameter: 'report',
      reason: `it must be a list of at most ${REPORT_MAX}`,
    })
  const done: object[] = []
  let refused: Problem | undefined
  for (const entry of entries) {
    try {
      done.push(await reportOn(asked, (entry ?? {}) as Request))
    } catch (fault) {
      refused = refusalIn(fault)
      if (!refused) throw fault
    }
  }
  if (refused && done.length === 0) throw refused
  return { report: done }
}

const reportOn = async (asked: Asking, entry: Request): Promise<object> => {
  const channelSid = channelOf(entry)
  const { messageIdx: index = null } = entry
  const standing =
    index === null
      ? await readNothing(asked, channelSid)
      : await changeMine(asked, channelSid, { LastConsumedMessageIndex: index })
  return { channelSid, unreadMessagesCount: standing.unread_messages_count }
}

const commands: Readonly<Record<string, Command>> = {
  createChannel: async ({ api, token, serviceSid }, request) => {
    const form = formOf(request, {
      friendlyName: 'FriendlyName',
      uniqueName: 'UniqueName',
      type: 'Type',
      attributes: 'Attributes',
    })
    const { sid } = await api.perform(Channel, 'create', { token, path: { serviceSid }, form })
    return { channelSid: sid, channel: FOLLOWED.document(sid) }
  },
  destroyChannel: async (asked, request) => {
    const { api, token, serviceSid } = asked
    const channelSid = channelOf(request)
    const path = { serviceSid, sid: channelSid }
    await inChannel(asked, channelSid, api.perform(Channel, 'delete', { token, path }))
    return {}
  },
  editAttributes: changeChannel({ attributes: 'Attributes' }),
  editFriendlyName: changeChannel({ friendlyName: 'FriendlyName' }),
  editUniqueName: (asked, request) =>
    changeChannel({ uniqueName: 'UniqueName' })(asked, { ...request, uniqueName: request.uniqueName ?? '' }),
  editNotificationLevel: async (asked, request) => {
    await changeMine(asked, channelOf(request), formOf(request, { notificationLevel: 'NotificationLevel' }))
    return {}
  },
  joinChannelV2: (asked, request) => addMember(asked, channelOf(request), asked.client.identity),
  leaveChannel: (asked, request) => removeMember(asked, channelOf(request), asked.client.identity),
  addMemberV2: (asked, request) => addMember(asked, channelOf(request), textOf(request, 'username')),
  removeMember: (asked, request) =>
    removeMember(
      asked,
      channelOf(request),
      textOf(request, request.memberSid === undefined ? 'username' : 'memberSid'),
    ),
  inviteMember: async (asked, request) => {
    const { api, token, serviceSid } = asked
    const channelSid = channelOf(request)
    const path = { serviceSid, channelSid }
    const form = { Identity: textOf(request, 'username') }
    await inChannel(asked, channelSid, api.perform(Invite, 'create', { token, path, form }))
    return {}
  },
  declineInvitation: async (asked, request) => {
    await deleteInvite(asked, channelOf(request), asked.client.identity)
    return {}
  },
  editMemberAttributes: async (asked, request) => {
    const { api, token, serviceSid } = asked
    const channelSid = channelOf(request)
    const path = { serviceSid, channelSid, sid: textOf(request, 'memberSid') }
    const form = formOf(request, { attributes: 'Attributes' })
    await inChannel(asked, channelSid, api.perform(Member, 'update', { token, path, form }))
    return {}
  },
  sendMessage: send({ text: 'Body', attributes: 'Attributes' }),
  sendMediaMessage: send({ mediaSid: 'MediaSid', attributes: 'Attributes' }),
  editMessage: changeMessage({ text: 'Body' }),
  editMessageAttributes: changeMessage({ attributes: 'Attributes' }),
  deleteMessage: async (asked, request) => {
    const path = await messagePath(asked, request)
    await asked.api.perform(Message, 'delete', { token: asked.token, path })
    return {}
  },
  editUserAttributes: changeUser({ attributes: 'Attributes' }),
  editUserFriendlyName: changeUser({ friendlyName: 'FriendlyName' }),
  consumptionReportV2: report,
}

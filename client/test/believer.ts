/**
 * What somebody believes who listens to a chat client and remembers what they are told: of each channel they are in its
 * names, its members and its messages, of which those from before are read once, when they come in.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Channel, ChatClient, Member, Message } from '../src/index.ts'
import type { Stage } from './stage.ts'

/** REST tells moments in seconds. */
const inSeconds = (at: Date | null | undefined) => (at ? Math.floor(at.getTime() / 1_000) : null)

const shownChannel = (it: Channel) => ({
  status: it.status,
  notificationLevel: it.notificationLevel,
  lastConsumedMessageIndex: it.lastConsumedMessageIndex,
  friendlyName: it.friendlyName,
  uniqueName: it.uniqueName,
  attributes: it.attributes,
  type: it.type,
  createdBy: it.createdBy,
  dateUpdated: inSeconds(it.dateUpdated),
  lastMessage: it.lastMessage && [it.lastMessage.index, inSeconds(it.lastMessage.dateCreated)],
})

type MemberShown = Pick<
  Member,
  'sid' | 'identity' | 'roleSid' | 'lastConsumedMessageIndex' | 'lastConsumptionTimestamp' | 'attributes'
>

const shownMember = (it: MemberShown) => [
  it.sid,
  {
    identity: it.identity,
    roleSid: it.roleSid,
    attributes: it.attributes,
    lastConsumedMessageIndex: it.lastConsumedMessageIndex,
    lastConsumptionTimestamp: inSeconds(it.lastConsumptionTimestamp),
  },
]

type MessageShown = Pick<
  Message,
  'sid' | 'author' | 'body' | 'attributes' | 'dateCreated' | 'dateUpdated' | 'index'
>

const shownMessage = (it: MessageShown) => [
  it.index,
  {
    sid: it.sid,
    author: it.author,
    body: it.body,
    attributes: it.attributes,
    dateCreated: inSeconds(it.dateCreated),
    dateUpdated: inSeconds(it.dateUpdated),
  },
]

const inOrder = (entries: readonly unknown[]) =>
  Object.fromEntries((entries as [string, unknown][]).sort(([a], [b]) => (a < b ? -1 : 1)))

interface Inside {
  channel: Channel
  readonly members: Map<string, Member>
  /** As events told them; null for what is gone. */
  readonly told: Map<number, Message | null>
  readonly before: Map<number, Message>
  reading: Promise<void>
  isRead: boolean
  latest: number
}

export class Believer {
  readonly client: ChatClient
  /** What came twice, backwards, or of something that they knew nothing of. */
  readonly complaints: string[] = []
  readonly #inside = new Map<string, Inside>()

  constructor(client: ChatClient) {
    this.client = client
    for (const channel of client.channels) this.#enter(channel)
    const complain = (what: string) => void this.complaints.push(`${client.identity}: ${what}`)
    const comes = (channel: Channel, before: readonly (string | undefined)[]) => {
      const was = this.#inside.get(channel.sid)?.channel.status
      if (!before.includes(was)) complain(`${channel.status} in ${channel.sid} where they were ${was}`)
      this.#enter(channel)
    }
    client.on('channelInvited', (it) => comes(it, [undefined]))
    client.on('channelJoined', (it) => comes(it, [undefined, 'invited']))
    client.on('channelLeft', ({ sid }) => {
      if (!this.#inside.delete(sid)) complain(`out of ${sid} where they were not`)
    })
    client.on('channelUpdated', (channel, before) => {
      const it = this.#inside.get(channel.sid)
      if (!isDeepStrictEqual(it && shownChannel(it.channel), shownChannel(before)))
        complain(`${channel.sid} was not what it was before`)
      if (it) it.channel = channel
    })
    const joined = (sid: string, what: string): Inside | undefined => {
      const it = this.#inside.get(sid)
      if (it?.channel.status === 'joined') return it
      complain(`${what} in ${sid} where they are ${it?.channel.status}`)
      return undefined
    }
    client.on('messageAdded', (message) => {
      const it = joined(message.channelSid, `message ${message.index}`)
      if (!it) return
      if (message.index <= it.latest) complain(`message ${message.index} after ${it.latest}`)
      it.latest = message.index
      it.told.set(message.index, message)
    })
    client.on('messageUpdated', (message) => {
      const it = joined(message.channelSid, `change of ${message.index}`)
      if (it?.told.get(message.index) === null) complain(`message ${message.index} changed when it was gone`)
      it?.told.set(message.index, message)
    })
    client.on('messageRemoved', ({ channelSid, index }) => {
      const it = joined(channelSid, `end of ${index}`)
      if (it?.told.get(index) === null) complain(`message ${index} gone twice`)
      it?.told.set(index, null)
    })
    client.on('memberJoined', (member) => {
      const it = joined(member.channelSid, `member ${member.identity}`)
      const those = [...(it?.members.values() ?? [])]
      if (those.some(({ identity }) => identity === member.identity))
        complain(`${member.identity} came twice`)
      it?.members.set(member.sid, member)
    })
    client.on('memberUpdated', (member, before) => {
      const it = joined(member.channelSid, `change of ${member.identity}`)
      if (!isDeepStrictEqual(it?.members.get(member.sid), before))
        complain(`${member.identity} was not what they were before`)
      it?.members.set(member.sid, member)
    })
    client.on('memberLeft', (member) => {
      if (!joined(member.channelSid, `end of ${member.identity}`)?.members.delete(member.sid))
        complain(`${member.identity} left, who was not there`)
    })
  }

  #enter(channel: Channel): void {
    const it: Inside = {
      channel,
      members: new Map(channel.members.map((member) => [member.sid, member])),
      told: new Map(),
      before: new Map(),
      reading: Promise.resolve(),
      isRead: false,
      latest: -1,
    }
    this.#inside.set(channel.sid, it)
    if (channel.status === 'joined') it.reading = this.#read(it)
  }

  /** What was told since is newer. */
  async #read(it: Inside): Promise<void> {
    try {
      let page = await it.channel.getMessages({ limit: 20 })
      for (;;) {
        for (const message of page.items) it.before.set(message.index, message)
        if (!page.hasOlder) break
        page = await page.older()
      }
      it.isRead = true
    } catch {
      // They were put out meanwhile; it is looked at in the end.
    }
  }

  async believed() {
    const inside = [...this.#inside]
    await Promise.all(inside.map(([, { reading }]) => reading))
    return {
      channels: inOrder(inside.map(([sid, { channel }]) => [sid, shownChannel(channel)])),
      members: inOrder(
        inside.map(([sid, { members }]) => [sid, inOrder([...members.values()].map(shownMember))]),
      ),
      messages: inOrder(
        inside.map(([sid, { isRead, channel, before, told }]) => {
          const all = [...new Map<number, Message | null>([...before, ...told]).values()]
          const messages = inOrder(all.flatMap((it) => (it ? [shownMessage(it)] : [])))
          return [sid, isRead || channel.status !== 'joined' ? messages : 'not read']
        }),
      ),
    }
  }

  /** What the client itself says now, of which there are no messages. */
  known() {
    const { channels } = this.client
    return {
      channels: inOrder(channels.map((it) => [it.sid, shownChannel(it)])),
      members: inOrder(channels.map((it) => [it.sid, inOrder(it.members.map(shownMember))])),
    }
  }
}

type Believed = Awaited<ReturnType<Believer['believed']>>

/** The same by REST. */
export const whatIs = async ({ service }: Pick<Stage, 'service'>, identity: string): Promise<Believed> => {
  const places = await service.users(identity).userChannels.list()
  const all = await Promise.all(
    places.map(async (place) => {
      const at = service.channels(place.channelSid)
      const channel = await at.fetch()
      const messages = await at.messages.list({ order: 'asc' })
      const isIn = place.status === 'joined'
      const last = messages.at(-1)
      const shown = {
        status: place.status,
        notificationLevel: place.notificationLevel,
        lastConsumedMessageIndex: place.lastConsumedMessageIndex,
        friendlyName: channel.friendlyName,
        uniqueName: channel.uniqueName,
        attributes: JSON.parse(channel.attributes),
        type: channel.type,
        createdBy: channel.createdBy,
        dateUpdated: inSeconds(channel.dateUpdated),
        lastMessage: last ? [last.index, inSeconds(last.dateCreated)] : null,
      }
      const read = <T extends { readonly attributes: string }>(it: T) => ({
        ...it,
        attributes: JSON.parse(it.attributes),
      })
      const members = isIn ? (await at.members.list()).map((it) => shownMember(read(it))) : []
      const said = isIn ? messages.map((it) => shownMessage({ ...read(it), author: it.from })) : []
      return { sid: channel.sid, shown, members: inOrder(members), messages: inOrder(said) }
    }),
  )
  return {
    channels: inOrder(all.map(({ sid, shown }) => [sid, shown])),
    members: inOrder(all.map(({ sid, members }) => [sid, members])),
    messages: inOrder(all.map(({ sid, messages }) => [sid, messages])),
  } as Believed
}

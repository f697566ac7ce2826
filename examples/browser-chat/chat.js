/**
 * The visitor's side of a conversation, by the published chat SDK. It knows nothing of the page: what happens is told
 * to `tell`, which has a function for each kind of news.
 */
import { openOutbox } from './outbox.js'

const MESSAGES_A_PAGE = 50
const AGAIN_AFTER_MS = 2_000

/** Asks our own server, which knows this browser by its cookie. */
const ask = async (path, said) => {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(said ?? {}),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return answer.json()
}

/** Begins the conversation of whoever uses this browser, or goes on with it. */
export const openChat = async (name, tell) => {
  const visit = await ask('/visit', { name })
  const client = new Twilio.Chat.Client(visit.token, { Twilsock: { uri: visit.socket } })

  /** A token is renewed before it ends; where nobody was there to do it, as in a laptop that slept, after. */
  const renew = async () => {
    try {
      const { token } = await ask('/token')
      await client.updateToken(token)
    } catch {
      setTimeout(renew, AGAIN_AFTER_MS)
    }
  }
  client.on('tokenAboutToExpire', renew)
  client.on('tokenExpired', renew)
  client.on('connectionStateChanged', (state) => tell.connection(state === 'connected'))

  let channel
  /** Whether it is the conversation that goes on: another channel of this visitor is one that is over. */
  const isOurs = ({ sid }) => sid === channel?.sid

  const names = new Map()
  /** What somebody is called, also when they have left the channel. */
  const nameOf = (identity) => {
    if (!names.has(identity))
      names.set(
        identity,
        client.getUser(identity).then(
          (user) => user.friendlyName || identity,
          () => identity,
        ),
      )
    return names.get(identity)
  }

  const isAgent = (member) => member.attributes.member_type === 'agent'

  const show = async (message) => {
    const isOwn = message.author === client.user.identity
    await tell.message({
      sid: message.sid,
      channel: message.channel.sid,
      index: message.index,
      outboxId: isOwn ? message.attributes.id : undefined,
      from: isOwn ? undefined : await nameOf(message.author),
      body: message.body,
      media: message.media,
    })
  }

  /** The agent has read what stands before their horizon, this message included. */
  const tellRead = (member) => {
    if (isAgent(member) && member.lastConsumedMessageIndex !== null)
      tell.read(member.channel.sid, member.lastConsumedMessageIndex)
  }

  client.on('messageAdded', (message) => isOurs(message.channel) && show(message))
  client.on('memberUpdated', ({ member }) => isOurs(member.channel) && tellRead(member))
  client.on('memberJoined', async (member) => {
    if (isOurs(member.channel) && isAgent(member)) tell.joined(await nameOf(member.identity))
  })
  client.on('memberLeft', async (member) => {
    if (isOurs(member.channel) && isAgent(member)) tell.left(await nameOf(member.identity))
  })
  client.on('typingStarted', async (member) => {
    if (isOurs(member.channel)) tell.typing(await nameOf(member.identity), () => member.isTyping)
  })
  client.on('typingEnded', (member) => isOurs(member.channel) && tell.typing())
  client.on('channelUpdated', ({ channel: it, updateReasons }) => {
    if (isOurs(it) && updateReasons.includes('attributes') && isOver(it)) tell.ended()
  })

  const isOver = ({ attributes }) => attributes.status === 'INACTIVE'

  const follow = async (sid) => {
    channel = await client.getChannelBySid(sid)
    const members = await channel.getMembers()
    for (let page = await channel.getMessages(MESSAGES_A_PAGE); ; page = await page.prevPage()) {
      for (const message of page.items) await show(message)
      if (!page.hasPrevPage) break
    }
    for (const agent of members.filter(isAgent)) {
      tell.present(await nameOf(agent.identity))
      tellRead(agent)
    }
  }

  /** Where the next words go: after the end of a conversation, into a new one. */
  const channelOf = async () => {
    if (isOver(channel)) await follow((await ask('/visit', { name })).channel)
    return channel
  }

  // It is not given up: the SDK tries again until it is let in.
  await new Promise((resolve) => {
    client.on('stateChanged', (state) => state === 'initialized' && resolve())
  })
  try {
    await follow(visit.channel)
  } catch (fault) {
    await client.shutdown()
    throw fault
  }
  const outbox = openOutbox(channelOf, show)

  return {
    /** @param content a text, or a FormData with a file @param letter its `id`, and what becomes of it */
    send: (content, letter) => outbox.add(content, letter),
    /** Tells the agent that the visitor writes; the SDK says so once in a while, however often it is called. */
    typing: () => channel.typing().catch(ignored),
    /** What is in the conversation has been seen. */
    read: () => channel.setAllMessagesConsumed().catch(ignored),
  }
}

/** Said while the connection is away: of no use later. */
const ignored = () => undefined

/** One conversation of the agent's, from the hand-over to its end. */
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { Interface } from 'node:readline'
import type { Channel, Client, Member, Message } from 'twilio-chat'

const MESSAGES_A_PAGE = 50

const PICTURE_TYPES: Readonly<Record<string, string>> = {
  '.gif': 'image/gif',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
}

export interface Talk {
  readonly client: Client
  readonly channelSid: string
  readonly terminal: Interface
  /** Emits `keypress`. */
  readonly keys: NodeJS.EventEmitter
  readonly print: (line: string) => void
  /** Completes the task, which ends the conversation. */
  readonly complete: () => Promise<void>
}

/** Resolves when the conversation has ended. */
export const talk = async (given: Talk): Promise<void> => {
  const { client, channelSid, terminal, keys, print } = given
  const channel = await client.getChannelBySid(channelSid)
  const customer = (await channel.getMembers()).find((it) => it.identity !== client.user.identity)
  const name = customer ? ((await customer.getUser()).friendlyName ?? 'Somebody') : 'Somebody'
  print(`You are talking with ${name}. Type an answer, /picture <file>, or /end.`)

  let told = -1
  const tellOne = async (message: Message): Promise<void> => {
    if (message.index <= told) return
    told = message.index
    if (message.author === client.user.identity) return
    try {
      print(`${name}: ${await wordsOf(message)}`)
      await channel.updateLastConsumedMessageIndex(message.index)
    } catch {
      // What was not marked as read will be with the next message.
    }
  }
  const older = channel.getMessages(MESSAGES_A_PAGE).then(async ({ items }) => {
    for (const it of items) await tellOne(it)
  })
  /** Messages are told one after the other: one that comes while the older ones are read after them, and once. */
  let telling = older.catch(() => {})
  const tell = (message: Message): void => {
    telling = telling.then(() => tellOne(message))
  }

  const isEnded = Promise.withResolvers<void>()
  const heard = {
    messageAdded: tell,
    memberUpdated: ({ member, updateReasons }: { member: Member; updateReasons: string[] }): void => {
      if (member.identity !== customer?.identity || !updateReasons.includes('lastConsumedMessageIndex'))
        return
      if (member.lastConsumedMessageIndex === channel.lastMessage?.index) print(`(${name} has read it.)`)
    },
    typingStarted: () => print(`(${name} is writing.)`),
    updated: () => {
      if (isOver(channel)) isEnded.resolve()
    },
    removed: () => isEnded.resolve(),
  }
  const emitter: NodeJS.EventEmitter = channel
  for (const [event, hear] of Object.entries(heard)) emitter.on(event, hear)
  const onKey = (): void => void channel.typing().catch(() => undefined)
  const onLine = lines(given, channel)
  keys.on('keypress', onKey)
  terminal.on('line', onLine)
  try {
    await older
    if (isOver(channel)) isEnded.resolve()
    await isEnded.promise
  } finally {
    for (const [event, hear] of Object.entries(heard)) emitter.off(event, hear)
    keys.off('keypress', onKey)
    terminal.off('line', onLine)
  }
  print(`The conversation with ${name} is over.`)
}

const isOver = (channel: Channel): boolean =>
  (channel.attributes as { status?: unknown }).status === 'INACTIVE'

/** A picture is told by its address, which is good for minutes. */
const wordsOf = async ({ body, media }: Message): Promise<string> => {
  if (!media) return body
  const url = await media.getContentTemporaryUrl()
  return `${body ?? ''}[${media.filename ?? media.contentType}, ${media.size} bytes] ${url}`
}

/** What to do with what is typed, one line after the other. */
const lines = ({ print, complete }: Talk, channel: Channel): ((line: string) => void) => {
  let done = Promise.resolve()
  const act = async (line: string): Promise<void> => {
    const [, path] = /^\/picture\s+(.+)$/.exec(line) ?? []
    if (line === '/end') await complete()
    else if (path) await channel.sendMessage(await readPicture(path))
    else await channel.sendMessage(line)
  }
  return (line) => {
    if (!line.trim()) return
    done = done.then(() => act(line.trim())).catch((fault: Error) => print(`Not done: ${fault.message}`))
  }
}

const readPicture = async (path: string) => {
  const contentType = PICTURE_TYPES[extname(path).toLowerCase()]
  if (!contentType) throw new Error(`${basename(path)} is no picture that browsers show`)
  return { contentType, media: await readFile(path) }
}

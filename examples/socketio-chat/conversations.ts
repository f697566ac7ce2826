/**
 * Who talks where: a visitor has one channel at a time, from their first message until the channel goes INACTIVE.
 * Kept in memory, and found again where the memory is gone.
 */
import { createChannel, type Flex, findChannel, type Shown, sendMessage, type Visitor } from './middleware.ts'

/** An agent's goodbye may arrive after the news of the end: each takes its own webhook. */
const GOODBYE_MS = 60_000

export interface Conversations {
  /** The channel of a visitor who comes back. */
  resume(visitorId: string): Promise<string | undefined>
  /** Also for a little while after its end. */
  visitorOf(channelSid: string): string | undefined
  /** Sends in the order of the calls; the first message begins the conversation. */
  say(visitor: Visitor, body: string): Promise<Shown>
  /** @returns the visitor whose conversation it was; undefined when it was over already */
  end(channelSid: string): string | undefined
}

export const openConversations = (flex: Flex): Conversations => {
  const channels = new Map<string, string>()
  const visitors = new Map<string, string>()
  const turns = new Map<string, Promise<unknown>>()

  const inTurn = <T>(visitorId: string, work: () => Promise<T>): Promise<T> => {
    const done = (turns.get(visitorId) ?? Promise.resolve()).then(work)
    const over = done
      .catch(() => undefined)
      .then(() => {
        if (turns.get(visitorId) === over) turns.delete(visitorId)
      })
    turns.set(visitorId, over)
    return done
  }

  const keep = (visitorId: string, channelSid: string): string => {
    channels.set(visitorId, channelSid)
    visitors.set(channelSid, visitorId)
    return channelSid
  }

  return {
    resume: (visitorId) =>
      inTurn(visitorId, async () => {
        if (channels.has(visitorId)) return channels.get(visitorId)
        const found = await findChannel(flex, visitorId)
        return found && keep(visitorId, found)
      }),
    visitorOf: (channelSid) => visitors.get(channelSid),
    say: (visitor, body) =>
      inTurn(visitor.id, async () => {
        const channelSid = channels.get(visitor.id) ?? keep(visitor.id, await createChannel(flex, visitor))
        return sendMessage(flex, channelSid, visitor, body)
      }),
    end: (channelSid) => {
      const visitorId = visitors.get(channelSid)
      if (visitorId === undefined || channels.get(visitorId) !== channelSid) return undefined
      channels.delete(visitorId)
      setTimeout(() => visitors.delete(channelSid), GOODBYE_MS).unref()
      return visitorId
    },
  }
}

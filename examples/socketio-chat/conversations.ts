/**
 * Who talks where: a visitor has one channel at a time, from their first message until the channel goes INACTIVE.
 * Kept in memory; after a restart a visitor's next message finds the same channel again, by its target.
 */
import { createChannel, type Flex, type Shown, sendMessage, type Visitor } from './middleware.ts'

/** An agent's goodbye may arrive after the news of the end: each takes its own webhook. */
const GOODBYE_MS = 60_000

export interface Conversations {
  channelOf(visitorId: string): string | undefined
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

  const begin = async (visitor: Visitor): Promise<string> => {
    const channelSid = await createChannel(flex, visitor)
    channels.set(visitor.id, channelSid)
    visitors.set(channelSid, visitor.id)
    return channelSid
  }

  return {
    channelOf: (visitorId) => channels.get(visitorId),
    visitorOf: (channelSid) => visitors.get(channelSid),
    say: (visitor, body) =>
      inTurn(visitor.id, async () =>
        sendMessage(flex, channels.get(visitor.id) ?? (await begin(visitor)), visitor, body),
      ),
    end: (channelSid) => {
      const visitorId = visitors.get(channelSid)
      if (visitorId === undefined || channels.get(visitorId) !== channelSid) return undefined
      channels.delete(visitorId)
      setTimeout(() => visitors.delete(channelSid), GOODBYE_MS).unref()
      return visitorId
    },
  }
}

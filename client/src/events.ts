import type { Channel } from './channel.ts'
import type { ChatError } from './error.ts'
import type { ConnectionState } from './line.ts'
import type { Member } from './member.ts'
import type { Message } from './message.ts'
import type { User } from './users.ts'

/** Somebody writes. */
export interface Typing {
  readonly channelSid: string
  readonly identity: string
}

/** A message that is gone. */
export interface RemovedMessage {
  readonly channelSid: string
  readonly index: number
}

/** What a client tells; `client.on(name, listener)`. */
export interface ChatEvents {
  /** The connection. The error is why it broke, or why it was denied. */
  stateChanged: [state: ConnectionState, error: ChatError | undefined]
  /** Something failed that nobody waits for, such as a renewal of the token. The client goes on. */
  error: [error: ChatError]
  /** This user is in a channel from now on. */
  channelJoined: [channel: Channel]
  /** This user is invited: `channel.join()`, or `channel.decline()`. */
  channelInvited: [channel: Channel]
  /** This user is in the channel no more, or not invited any more; it may have been destroyed. */
  channelLeft: [channel: Channel]
  /** Its names, attributes, last message, or this user's horizon or notification level. */
  channelUpdated: [channel: Channel, before: Channel]
  memberJoined: [member: Member]
  memberLeft: [member: Member]
  /** Their attributes, role or horizon. */
  memberUpdated: [member: Member, before: Member]
  /** In each channel in the order of `index`, each once, one's own among them. */
  messageAdded: [message: Message]
  messageUpdated: [message: Message]
  messageRemoved: [message: RemovedMessage]
  typingStarted: [typing: Typing]
  typingEnded: [typing: Typing]
  /** Of this user, and of those asked for with `getUser`. */
  userUpdated: [user: User, before: User]
}

/** Those that a channel tells of itself; `channel.on(name, listener)`. */
export type ChannelEventName = Exclude<keyof ChatEvents, 'stateChanged' | 'error' | 'userUpdated'>

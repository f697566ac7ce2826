/** The published chat SDKs that the story is told with, as npm installs them. */

/** What some have and others have not. */
export type Ability = 'invites' | 'public channels' | 'descriptors'

export interface Sdk {
  /** What it is called in `node_modules`. */
  readonly name: string
  readonly title: string
  /** What it says of itself. */
  readonly version: string
  readonly vocabulary: Vocabulary
  readonly can: readonly Ability[]
}

/** `chat` speaks of channels, members and what is consumed; `conversations` of conversations, participants and reading. */
export type Vocabulary = 'chat' | 'conversations'

const CHAT: readonly Ability[] = ['invites', 'public channels', 'descriptors']

const chat = (name: string, version: string): Sdk => ({
  name,
  title: `twilio-chat ${version}`,
  version,
  vocabulary: 'chat',
  can: CHAT,
})

const conversations = (name: string, version: string): Sdk => ({
  name,
  title: `@twilio/conversations ${version}`,
  version,
  vocabulary: 'conversations',
  can: [],
})

export const SDKS = {
  chat6: chat('twilio-chat', '6.0.0'),
  chat5: chat('twilio-chat5', '5.0.2'),
  chat41: chat('twilio-chat41', '4.1.0'),
  chat34: chat('twilio-chat34', '3.4.0'),
  conversations3: conversations('@twilio/conversations', '3.0.1'),
  conversations2: conversations('conversations2', '2.7.0'),
} as const satisfies Record<string, Sdk>

/** A request of the chat client API, and what it is answered with. */
import { Channel } from '@parley/contract/chat/channel.ts'
import { Problem, problem } from '@parley/contract/problem.ts'
import type { RowOf } from '@parley/contract/resource.ts'
import type { AccessToken, Perform } from '../../../http/binding.ts'
import type { Reader, Store } from '../../../store/tx.ts'
import type { Client } from '../../client.ts'

/** What the chat client API stands on. */
export interface ChatApi {
  readonly reader: Reader
  readonly store: Pick<Store, 'transact'>
  /** Asks any operation of chat as REST does: so roles, limits, webhooks and refusals are the same. */
  readonly perform: Perform
  /** Without a slash at its end. */
  readonly publicUrl: string
  /** Tells whoever else is in the channel that this client writes. */
  typing(client: Client, channelSid: string, timeoutSeconds: number): void
}

/** `v1` is Programmable Chat's, `v2` that of Conversations. */
export type Version = 'v1' | 'v2'

export interface Asked {
  readonly api: ChatApi
  readonly client: Client
  readonly token: AccessToken
  readonly serviceSid: string
  readonly version: Version
  readonly query: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

export type ChannelAnswer = RowOf<typeof Channel>

/** The client's token, with its chat grant where it is looked for: the oldest libraries write it elsewhere. */
export const tokenOf = ({ token, serviceSid }: Client): AccessToken =>
  token.grants.chat === undefined
    ? { ...token, grants: { ...token.grants, chat: { service_sid: serviceSid } } }
    : token

const isNotFound = (fault: unknown): boolean => fault instanceof Problem && fault.problem === 'not_found'

/**
 * A channel that the client sees, by SID or unique name.
 * @throws 50300 where there is none
 */
export const seenChannel = async (
  { api, token, serviceSid }: Pick<Asked, 'api' | 'token' | 'serviceSid'>,
  sidOrUniqueName: string,
): Promise<ChannelAnswer> => {
  try {
    return await api.perform(Channel, 'fetch', { token, path: { serviceSid, sid: sidOrUniqueName } })
  } catch (fault) {
    throw isNotFound(fault) ? problem('channel_not_found') : fault
  }
}

/**
 * Something that is asked of a channel.
 * @throws 50300 where REST says 20404 because there is no channel; what it refuses otherwise
 */
export const inChannel = async <T>(
  asked: Pick<Asked, 'api' | 'token' | 'serviceSid'>,
  sidOrUniqueName: string,
  asking: Promise<T>,
): Promise<T> => {
  try {
    return await asking
  } catch (fault) {
    if (isNotFound(fault)) await seenChannel(asked, sidOrUniqueName)
    throw fault
  }
}

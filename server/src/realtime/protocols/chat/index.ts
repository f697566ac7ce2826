import { problem } from '@parley/contract/problem.ts'
import type { Perform } from '../../../http/binding.ts'
import type { Reader } from '../../../store/tx.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../client.ts'

export interface ChatApi {
  readonly reader: Reader
  readonly perform: Perform
  readonly publicUrl: string
  typing(client: Client, channelSid: string, timeoutSeconds: number): void
}

export const answerChat = async (
  _chat: ChatApi,
  _client: Client,
  _request: TunnelledRequest,
  _version: 'v1' | 'v2',
  path: string,
): Promise<TunnelledAnswer> => {
  throw problem('not_found', { path })
}

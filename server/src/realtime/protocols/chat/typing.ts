/** Somebody writes: told to whoever is in the channel, and kept nowhere. */
import { problem } from '@parley/contract/problem.ts'
import { requireService } from '../../../chat/index.ts'
import { find } from '../../../store/rows.ts'
import type { TunnelledAnswer } from '../../client.ts'
import { type Asked, seenChannel } from './asked.ts'
import { requireName } from './decoded.ts'

/** Shown that much longer than it is said again, so that it does not flicker between. */
const GRACE_S = 1

/** @throws 50300 for a channel that is not seen, 50400 for one that the client is no member of */
export const sayTyping = async (
  asked: Pick<Asked, 'api' | 'client' | 'token' | 'serviceSid'>,
  named: unknown,
): Promise<TunnelledAnswer> => {
  const { api, client, serviceSid } = asked
  if (typeof named !== 'string') throw problem('missing_parameter', { parameter: 'ChannelSid' })
  const channelSid = requireName(named)
  const member = await find(api.reader, 'members', { channel_sid: channelSid, identity: client.identity })
  if (member?.service_sid !== serviceSid) {
    await seenChannel(asked, channelSid)
    throw problem('not_a_member')
  }
  const service = await requireService(api.reader, client.accountSid, serviceSid)
  const timeout = service.typing_indicator_timeout
  api.typing(client, channelSid, timeout + GRACE_S)
  return { status: 200, body: { typing_timeout: timeout } }
}

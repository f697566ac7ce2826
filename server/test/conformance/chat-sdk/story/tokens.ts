/** A token nears its end, is renewed; another ends, and everything goes on with the next. */
import assert from 'node:assert/strict'
import { until } from '../../../journeys/program.ts'
import { type Step, toldOf } from './step.ts'

/** Less than the three minutes before its end at which clients hear of a longer one. */
const SHORT_S = 6
const SHORTER_S = 3

export const renewing: Step = {
  title: 'hears that its token is about to expire, and renews it',
  tell: async ({ vera, ana, room, token }) => {
    await vera.client('updateToken', token(vera.identity, SHORT_S))
    await vera.hears('tokenAboutToExpire')
    const sid = await room('Renewal')
    await vera.client('updateToken', token(vera.identity))
    await vera.channel(sid, 'sendMessage', 'Still here', {})
    await ana.hears('messageAdded', (it) => it.message?.body === 'Still here')
    assert.ok(!vera.heard.some((it) => it.event === 'tokenExpired'))
  },
}

export const expiring: Step = {
  title: 'hears that its token has expired, and is alive again with another, having missed nothing',
  tell: async ({ vera, ana, room, token, service }) => {
    const sid = await room('Expiry')
    const after = vera.heard.length
    await vera.client('updateToken', token(vera.identity, SHORTER_S))
    await vera.hears('tokenAboutToExpire', () => true, after)
    await vera.hears('tokenExpired', () => true, after)
    await ana.channel(sid, 'sendMessage', 'While she was out', {})
    await vera.client('updateToken', token(vera.identity))
    await vera.hears('messageAdded', (it) => it.message?.body === 'While she was out')
    await vera.channel(sid, 'sendMessage', 'Back', {})
    for (const who of [vera, ana]) {
      await who.hears('messageAdded', (it) => it.message?.body === 'Back')
      assert.deepEqual(
        toldOf(who, sid).map((it) => it.body),
        ['While she was out', 'Back'],
      )
    }
    await until('she is there', async () =>
      (await service.users(vera.identity).fetch()).isOnline ? true : undefined,
    )
  },
}

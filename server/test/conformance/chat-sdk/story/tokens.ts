/** A token nears its end, is renewed; another ends, and everything goes on with the next. */
import assert from 'node:assert/strict'
import { until } from '../../../journeys/program.ts'
import { type Step, toldOf } from './step.ts'

/** More than the three minutes before its end at which clients hear of it, by a moment; not to expire in this story. */
const SHORT_S = 182

/** It must be good when it comes: on a machine that stalls, the next one lives twice as long. */
const SHORTEST_S = 3
const SHORT_ENOUGH_S = 24

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
    for (let lives = SHORTEST_S; ; lives *= 2)
      try {
        await vera.client('updateToken', token(vera.identity, lives))
        break
      } catch (fault) {
        if (lives >= SHORT_ENOUGH_S) throw fault
      }
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

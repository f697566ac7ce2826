import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Outcome } from './call.ts'
import { judge, type Standing } from './retry.ts'

const answered = (status: number): Outcome => ({
  kind: 'answered',
  status,
  headers: {},
  body: '',
  durationMs: 1,
})
const failed = (
  kind: 'timed-out' | 'unreachable' | 'refused-address' | 'redirected' | 'bad-tls',
): Outcome => ({
  kind,
  detail: '',
  durationMs: 1,
})

const fresh: Standing = {
  now: 0,
  attempts: 0,
  retryCount: 0,
  failingSince: null,
  retryMs: 86_400_000,
  chance: 0,
}

describe('what an attempt came to', () => {
  test('any 2xx is delivered', () => {
    for (const status of [200, 201, 204, 299])
      assert.deepEqual(judge(answered(status), fresh), { state: 'delivered' })
  })

  test('what was understood and refused is set aside at once', () => {
    for (const status of [301, 304, 400, 401, 403, 404, 410, 422])
      assert.deepEqual(judge(answered(status), { ...fresh, retryCount: 3 }), { state: 'set-aside' })
    for (const kind of ['refused-address', 'redirected'] as const)
      assert.deepEqual(judge(failed(kind), { ...fresh, retryCount: 3 }), { state: 'set-aside' })
  })

  test('Twilio retries no answer, 429, 503 and 504 as often as the webhook grants, a moment later', () => {
    for (const it of [failed('timed-out'), answered(429), answered(503), answered(504)]) {
      const first = judge(it, { ...fresh, retryCount: 2 })
      assert.deepEqual(first, { state: 'pending', nextAttemptAt: 1_000, failingSince: 0 })
      const last = judge(it, { ...fresh, retryCount: 2, attempts: 2, failingSince: 0, now: 2_000 })
      assert.deepEqual(last, { state: 'pending', nextAttemptAt: 4_000, failingSince: 0 })
    }
  })

  test('what Twilio does not retry waits for our own retries', () => {
    for (const it of [answered(500), answered(502), failed('unreachable'), failed('bad-tls')])
      assert.deepEqual(judge(it, { ...fresh, retryCount: 3 }), {
        state: 'pending',
        nextAttemptAt: 2_000,
        failingSince: 0,
      })
  })

  test('waits double up to an hour, and after a day it is set aside', () => {
    const waits: number[] = []
    let standing = fresh
    for (;;) {
      const verdict = judge(answered(500), standing)
      if (verdict.state !== 'pending') {
        assert.equal(verdict.state, 'set-aside')
        break
      }
      waits.push((verdict.nextAttemptAt - standing.now) / 1_000)
      standing = { ...standing, now: verdict.nextAttemptAt, failingSince: verdict.failingSince }
    }
    assert.deepEqual(waits.slice(0, 12), [2, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048])
    assert.ok(standing.now > 82_000_000 && standing.now <= 86_400_000)
  })

  test('chance adds up to a quarter to a wait', () => {
    const verdict = judge(answered(500), { ...fresh, chance: 0.999 })
    assert.ok(verdict.state === 'pending' && verdict.nextAttemptAt >= 2_400 && verdict.nextAttemptAt < 2_500)
  })
})

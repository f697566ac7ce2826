import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../client.ts'
import { openSessions } from './sessions.ts'

const clientTold = (told: string[]) =>
  ({
    accountSid: 'AC',
    serviceSid: 'IS',
    identity: 'vera',
    userSid: 'US',
    isGone: false,
    send: (frame: Uint8Array) => void told.push(Buffer.from(frame).toString()),
  }) as unknown as Client & { isGone: boolean }

test('what a connection that is over had still asked takes the list from nobody', () => {
  const sessions = openSessions({
    encode: (messageType) => Buffer.from(messageType),
    now: () => 1_000,
    randomHex: (digits) => 'a'.repeat(digits),
  })
  const sid = `ESf${'a'.repeat(31)}`
  const [before, after]: [string[], string[]] = [[], []]
  const old = clientTold(before)
  const session = sessions.open(old)
  const item = session.begin({ commandId: 'one' })
  old.isGone = true
  sessions.leave(old)
  assert.equal(sessions.of(clientTold(after), sid), session)
  assert.equal(sessions.of(old, sid), session)
  session.end(item, { status: 200 })
  assert.deepEqual([before.length, after.length], [0, 1])
})

/** A hundred thousand hostile frames, to the codec and to sessions in every state. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { problem } from '@parley/contract/problem.ts'
import fc from 'fast-check'
import { acceptance, decode, FRAME_BYTES_MAX, notification, PAYLOAD_BYTES_MAX } from './frame.ts'
import { type Deed, FRESH, type Happening, type Session, step } from './session.ts'

const FRAMES = 100_000
const NOW = Date.UTC(2024, 5, 1, 12)

const newId = () => `TM${'0'.repeat(32)}`

const frame = (header: string, payload: Uint8Array, length = Buffer.byteLength(header)): Buffer =>
  Buffer.concat([Buffer.from(`TWILSOCK V3.0 ${length}\r\n${header}\r\n`), payload])

const METHODS = ['init', 'update', 'message', 'close', 'reply', 'put_notification_ctx', 'telemetry.v1', 'x']
const PATHS = ['/Client/v1/Configuration', '/v3/Maps/US1.info?%', 'x', '', '/%ff/../..', '/\u0000']

const ODD = [
  null,
  true,
  -1,
  1e300,
  0.5,
  '',
  'x',
  'x'.repeat(200),
  '\ud800',
  [],
  [[null]],
  {},
  { type: {}, at: [] },
]

const anything = fc.constantFrom<unknown>(...ODD)

/** What a client could say, each part of it at times something else. */
const header = fc.record(
  {
    method: fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...METHODS) }, anything),
    id: fc.oneof({ weight: 20, arbitrary: fc.constant('TM1') }, anything),
    token: fc.oneof(fc.string(), anything),
    continuation_token: anything,
    registrations: fc.oneof(
      fc.array(fc.dictionary(fc.constantFrom('type', 'message_types'), anything)),
      anything,
    ),
    payload_type: fc.oneof(
      fc.constantFrom('application/json', 'application/x-www-form-urlencoded'),
      anything,
    ),
    payload_size: fc.oneof(fc.nat(20), anything),
    http_request: fc.oneof(
      fc.record({
        method: fc.oneof(fc.constantFrom('GET', 'POST'), anything),
        path: fc.oneof(fc.constantFrom(...PATHS), anything),
        params: fc.oneof(fc.dictionary(fc.string({ maxLength: 5 }), anything), anything),
      }),
      anything,
    ),
  },
  { requiredKeys: ['method', 'id'] },
)

const whole = fc
  .tuple(
    header,
    fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.json({ maxDepth: 1 }).map((it) => Buffer.from(it)),
    ),
  )
  .map(([said, payload]) => frame(JSON.stringify({ payload_size: payload.length, ...said }), payload))

const hostile = fc.oneof(
  { weight: 6, arbitrary: whole },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((it) => Buffer.from(it)) },
  {
    weight: 1,
    arbitrary: fc.tuple(whole, fc.nat(400)).map(([it, end]) => it.subarray(0, end)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.json({ maxDepth: 1 }), fc.integer())
      .map(([it, length]) => frame(it, Buffer.alloc(0), length)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(whole, fc.nat(400), fc.nat(255)).map(([it, at, byte]) => {
      const bent = Buffer.from(it)
      if (at < bent.length) bent[at] = byte
      return bent
    }),
  },
)

const token = (expiresAt: number) => ({
  accountSid: `AC${'a'.repeat(32)}`,
  keySid: `SK${'b'.repeat(32)}`,
  identity: 'ana',
  grants: { identity: 'ana', chat: { service_sid: `IS${'c'.repeat(32)}` } },
  expiresAt,
})

const LIVE: Session = { state: 'live', token: token(NOW + 3_600_000), isWarned: false }

/** What the deeds of a session lead to, now well, now badly. */
const consequence = (deed: Deed, goesWell: boolean): Happening | undefined => {
  if (deed.deed === 'believe')
    return goesWell
      ? { what: 'believed', frameId: deed.frameId, token: token(NOW + 60_000) }
      : { what: 'refused', frameId: deed.frameId, why: problem('token_signature', { reason: 'fuzz' }) }
  if (deed.deed === 'arrive') return { what: 'arrived', token: deed.token }
  if (deed.deed === 'ask')
    return { what: 'answered', frameId: deed.frameId, answer: { status: 200, body: deed.request } }
  return undefined
}

describe('a session', () => {
  test('meets a hundred thousand hostile frames and stays one of what a session can be', () => {
    const states = new Set<string>()
    const faults = new Set<string>()
    const deedsSeen = new Set<string>()
    const meets = (before: Session, happening: Happening, goesWell: boolean): Session => {
      const [after, deeds] = step(before, happening, { now: NOW, newId })
      states.add(after.state)
      for (const deed of deeds) {
        deedsSeen.add(deed.deed)
        if (deed.deed === 'send' || deed.deed === 'answer')
          assert.ok('frame' in decode(deed.frame), deed.frame.toString())
      }
      if (before.state === 'closing') assert.equal(after, before)
      return deeds.reduce((session, deed) => {
        const next = consequence(deed, goesWell)
        return next ? meets(session, next, goesWell) : session
      }, after)
    }
    let session: Session = FRESH
    fc.assert(
      fc.property(hostile, fc.boolean(), (bytes, goesWell) => {
        const decoded = decode(bytes)
        if ('fault' in decoded) faults.add(decoded.fault)
        for (const state of [FRESH, LIVE]) meets(state, { what: 'received', decoded }, goesWell)
        session = meets(
          session.state === 'closing' ? FRESH : session,
          { what: 'received', decoded },
          goesWell,
        )
      }),
      { numRuns: FRAMES },
    )
    assert.deepEqual([...states].toSorted(), ['admitting', 'closing', 'fresh', 'live'])
    assert.ok(faults.size >= 8, [...faults].join())
    for (const deed of ['answer', 'arrive', 'ask', 'believe', 'close', 'log', 'renew', 'send', 'wake'])
      assert.ok(deedsSeen.has(deed), deed)
  })

  test('lets nothing that comes late wake what is closing', () => {
    const [closing] = step(LIVE, { what: 'ended', code: 1012, reason: 'restart' }, { now: NOW, newId })
    const late: Happening[] = [
      { what: 'believed', frameId: 'TM1', token: token(NOW + 1) },
      { what: 'arrived', token: token(NOW + 1) },
      { what: 'answered', frameId: 'TM1', answer: { status: 200 } },
      { what: 'refused', frameId: 'TM1', why: problem('internal') },
      { what: 'ended', code: 1000, reason: '' },
    ]
    for (const happening of late)
      assert.deepEqual(step(closing, happening, { now: NOW, newId }), [closing, []])
  })
})

describe('a frame', () => {
  test('is read as it was written, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.object(), (type, payload) => {
        const decoded = decode(notification(type, payload, newId))
        assert.ok('frame' in decoded)
        assert.equal(decoded.frame.header.message_type, type)
        assert.deepEqual(JSON.parse(decoded.frame.payload.toString()), JSON.parse(JSON.stringify(payload)))
      }),
    )
  })

  test('fits into what a socket takes at its largest', () => {
    const header = JSON.stringify({ method: 'message', id: 'TM1', payload_size: PAYLOAD_BYTES_MAX, pad: '' })
    const padded = header.replace('""', `"${'x'.repeat(65_536 - header.length)}"`)
    const largest = frame(padded, Buffer.concat([Buffer.alloc(PAYLOAD_BYTES_MAX), Buffer.from('\r\n')]))
    assert.ok('frame' in decode(largest))
    assert.ok(largest.length <= FRAME_BYTES_MAX)
  })

  test('says the size of its payload, or none', () => {
    const decoded = decode(acceptance('TM1'))
    assert.ok('frame' in decoded)
    assert.deepEqual(decoded.frame.header, {
      method: 'reply',
      id: 'TM1',
      status: { code: 200, status: 'OK' },
      payload_size: 0,
    })
  })
})

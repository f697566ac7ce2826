import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { Stream } from '../../src/realtime/protocols/event-bridge/stream.ts'
import type { About, Told } from '../../src/realtime/protocols/event-bridge/told.ts'

type Now = Extract<About, { kind: 'reservation' }>['now']

const about = (workerSid: string | undefined, type: string, it: About): Told => ({
  type,
  workspaceSid: 'WS',
  workerSid,
  about: it,
  payload: {},
  isAsked: false,
})

const reservation = (version: number, type: string, now: Now, taskVersion = version): Told =>
  about('WK', `reservation.${type} ${version}`, {
    ...{ kind: 'reservation', sid: 'WR', version, taskSid: 'WT', taskVersion, now },
  })

const created = reservation(0, 'created', 'begins')
const accepted = reservation(1, 'accepted', 'goes on')
const wrapping = reservation(2, 'wrapup', 'goes on')
const completed = reservation(3, 'completed', 'ends')

const task = (version: number, accepted?: true): Told =>
  about(undefined, `task ${version}`, { kind: 'task', sid: 'WT', version, ...(accepted && { accepted }) })

const channel = (sid: string, version: number): Told =>
  about('WK', `${sid} ${version}`, { kind: 'channel', sid, version })

const worker = (version: number): Told => about('WK', `worker ${version}`, { kind: 'worker', version })

describe('of what two nodes commit at once, heard of in another order,', () => {
  let frames: string[]
  let stream: Stream
  const hear = (...those: Told[]) => {
    for (const it of those) stream.tell(it, ({ type }) => type)
  }
  const begin = () => stream.gaveReservations([], { isLast: true, frameOf: ({ type }) => type })

  beforeEach(() => {
    frames = []
    stream = new Stream(
      { workerSid: 'WK', workspaceSid: 'WS' },
      { send: (it) => void frames.push(it), close: assert.fail },
    )
  })

  test('[EB96] a reservation is told of from its beginning on', () => {
    begin()
    hear(accepted, created)
    assert.deepEqual(frames, ['reservation.created 0', 'reservation.accepted 1'])
    hear(completed, wrapping, created)
    assert.deepEqual(frames.slice(2), ['reservation.completed 3'])
  })

  test('[EB96] a reservation is told of as it stands last', () => {
    begin()
    hear(wrapping, accepted, created)
    assert.deepEqual(frames, ['reservation.created 0', 'reservation.wrapup 2'])
  })

  test('[EB96] a reservation is not told of where it had ended', () => {
    hear(completed)
    begin()
    hear(accepted, created)
    assert.deepEqual(frames, [])
  })

  test('[EB96] a task does not become what it was', () => {
    begin()
    hear(created, task(4), reservation(1, 'accepted', 'goes on', 6), task(5), task(7))
    assert.deepEqual(frames, ['reservation.created 0', 'task 4', 'reservation.accepted 1', 'task 7'])
  })

  test('[EB84] how others are asked is told to who has the task, and not to who is asked', () => {
    begin()
    hear(created, task(4, true), accepted, task(5, true))
    assert.deepEqual(frames, ['reservation.created 0', 'reservation.accepted 1', 'task 5'])
  })

  test('[EB96] a worker does not become what they were, nor one of their channels', () => {
    stream.gaveWorker(2)
    begin()
    hear(worker(2), worker(6), channel('a', 5), channel('b', 3), worker(4), channel('a', 4), channel('b', 7))
    assert.deepEqual(frames, ['worker 6', 'a 5', 'b 3', 'b 7'])
  })

  test('[EB96] a transfer that has ended does not begin', () => {
    const transfer = (begins: boolean): Told =>
      about('WK', begins ? 'initiated' : 'completed', { kind: 'transfer', sid: 'TT', begins })
    begin()
    hear(transfer(false), transfer(true))
    assert.deepEqual(frames, ['completed'])
  })
})

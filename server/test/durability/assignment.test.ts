/** A process that is killed while an assignment callback is under way. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import twilio from 'twilio'
import { until } from '../journeys/program.ts'
import { pointAt } from '../world/index.ts'
import { openListener } from '../world/listener.ts'
import { sparePort } from '../world/spare-port.ts'
import { startProcess } from './process.ts'

const accountSid = `AC${'d'.repeat(32)}`
const authToken = 'd'.repeat(32)

/** How long a call may take to come, in milliseconds. */
const COMES_WITHIN_MS = 60_000

test('an assignment callback that a kill cut short is asked again, as the same call, and followed once', async () => {
  await using open = new AsyncDisposableStack()
  const listener = open.use(await openListener())
  const folder = await mkdtemp(join(tmpdir(), 'parley-killed-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await sparePort()
  const url = `http://127.0.0.1:${port}`
  const start = () =>
    startProcess(url, {
      ...{ PORT: String(port), PARLEY_DATA: folder },
      ...{ PARLEY_ACCOUNT_SID: accountSid, PARLEY_AUTH_TOKEN: authToken },
    })
  let process = await start()
  open.defer(() => process.kill())

  const { workspaces } = pointAt(twilio(accountSid, authToken), url).taskrouter.v1
  const { sid } = await workspaces.create({ friendlyName: 'Support', template: 'FIFO' })
  const { workflows, workers, activities, tasks, events } = workspaces(sid)
  const [workflow] = await workflows.list()
  assert.ok(workflow)
  await workflows(workflow.sid).update({ assignmentCallbackUrl: listener.url('/assign') })
  const available = (await activities.list()).find((it) => it.available)
  await workers.create({ friendlyName: 'ana', activitySid: available?.sid as string })

  listener.answer('/assign', () => ({ hang: true }))
  const task = await tasks.create({})
  await listener.until('/assign', 1, COMES_WITHIN_MS)
  await process.kill()
  listener.answer('/assign', () => ({
    headers: { 'Content-Type': 'application/json' },
    body: '{"instruction":"accept"}',
  }))
  process = await start()
  const [first, second] = await listener.until('/assign', 2, COMES_WITHIN_MS)
  const tokenOf = (it: typeof first) => it?.headers['i-twilio-idempotency-token']
  assert.equal(tokenOf(first), tokenOf(second))
  assert.equal(first?.form.ReservationSid, second?.form.ReservationSid)

  await until('the answer is followed', async () =>
    (await tasks(task.sid).fetch()).assignmentStatus === 'assigned' ? true : undefined,
  )
  // A house that closes first ends what it has begun.
  assert.equal(await process.close(), 0)
  const calls = listener.at('/assign')
  assert.deepEqual(new Set(calls.map(tokenOf)), new Set([tokenOf(first)]))
  process = await start()
  assert.equal((await tasks(task.sid).fetch()).assignmentStatus, 'assigned')
  assert.deepEqual(
    (await events.list({ taskSid: task.sid })).map((it) => it.eventType).filter((it) => /^reserv/.test(it)),
    ['reservation.accepted', 'reservation.created'],
  )
  assert.equal(listener.at('/assign').length, calls.length)
})

/**
 * Assignment callbacks: a workflow is told of each reservation of its tasks, and its answer may decide it.
 *
 * The call is owed in the transaction that made the reservation, and made after it by a job. What the answer asks for
 * is carried out in one transaction with the record of the call, and only while the reservation is pending: a process
 * that dies between the two calls again, with the same idempotency token, and nothing is done twice. Where the
 * `AssignmentCallbackUrl` cannot be used, `FallbackAssignmentCallbackUrl` is asked once; then the reservation waits for
 * its worker or its timeout.
 */
import type { EventOf } from '@parley/contract/event.ts'
import { Problem } from '@parley/contract/problem.ts'
import { sql } from 'kysely'
import { type Reaction, reaction } from '../events/react.ts'
import type { JobHandler } from '../jobs/handler.ts'
import { later } from '../jobs/later.ts'
import { reading } from '../store/query.ts'
import { find, update } from '../store/rows.ts'
import type { Tx } from '../store/tx.ts'
import { findWorkflow, followInstruction } from '../taskrouter/index.ts'
import { type Fault, type Instruction, readInstruction } from './assignment-answer.ts'
import { type Attempt, attempt, type Means, writeAttempt } from './attempt.ts'
import { type DeliveryStored, type Entry, originOf, outcomeName, oweInLane } from './ledger.ts'
import type { Fields } from './spelling.ts'

const ASSIGN = 'webhooks.assign'

/** Calls to one endpoint at once: a hanging one holds this many places of the runner, no more. */
const PER_ENDPOINT = 32

/** Two calls that hang, and room for the store. */
const LEASE_MS = 30_000

/** Owes the call, for every reservation of a workflow that wants to be asked. */
export const hearReservations: Reaction = reaction({
  name: 'webhooks: ask of reservations',
  to: ['reservation.created'],
  react: async (tx, event) => {
    const { reservation, task } = event
    if (task.workflow_sid === null) return
    const workflow = await findWorkflow(tx, event.accountSid, task.workflow_sid)
    if (!workflow?.assignment_callback_url) return
    const url = workflow.assignment_callback_url
    const data: Asking = { fallbackUrl: workflow.fallback_assignment_callback_url }
    await oweInLane(tx, reservation.sid, {
      accountSid: event.accountSid,
      serviceSid: null,
      channelSid: null,
      messageSid: null,
      workspaceSid: task.workspace_sid,
      taskSid: task.sid,
      eventType: event.name,
      webhookSid: null,
      type: 'assignment',
      url,
      method: 'POST',
      retryCount: 0,
      rule: 'assignment_callback',
      fields: fieldsOf(event),
    })
    await later(tx, { kind: ASSIGN, key: reservation.sid, lane: `${ASSIGN}:${originOf(url)}`, data })
  },
})

interface Asking {
  readonly fallbackUrl: string | null
}

const fieldsOf = ({ at, task, worker, reservation }: EventOf<'reservation.created'>): Fields => ({
  Timestamp: String(Math.floor(at / 1000)),
  AccountSid: task.account_sid,
  WorkspaceSid: task.workspace_sid,
  WorkflowSid: task.workflow_sid ?? '',
  TaskQueueSid: task.task_queue_sid ?? '',
  TaskChannelSid: task.task_channel_sid,
  TaskChannelUniqueName: task.task_channel_unique_name,
  WorkerSid: worker.sid,
  WorkerName: worker.friendly_name,
  WorkerAttributes: worker.attributes,
  TaskSid: task.sid,
  TaskAttributes: task.attributes,
  TaskAge: String(task.age),
  TaskPriority: String(task.priority),
  ReservationSid: reservation.sid,
})

/** The call that a reservation's job has yet to make: the first, or the fallback's. */
const owedFor = reading((db, at: { reservationSid: string }) =>
  db
    .selectFrom('deliveries')
    .selectAll()
    .where('lane', '=', at.reservationSid)
    .where(sql<boolean>`state = 'pending'`)
    .orderBy('place')
    .limit(1),
)

/** The job that asks: its key is the reservation's SID. */
export const assign = (means: Means): JobHandler => ({
  kind: ASSIGN,
  perLane: PER_ENDPOINT,
  leaseMs: LEASE_MS,
  run: async (job, { store }) => {
    const { fallbackUrl } = job.data as Asking
    for (;;) {
      const row = await owedFor.first(store.reader, { reservationSid: job.key })
      if (!row) return undefined
      const reservation = await find(store.reader, 'reservations', { sid: job.key })
      if (reservation?.reservation_status !== 'pending') {
        await store.transact('webhooks.assign', async (tx) => {
          await become(tx, row, { state: 'silent', rule: 'reservation_over' })
        })
        continue
      }
      const made = await attempt(
        store.reader,
        {
          accountSid: row.account_sid,
          url: row.webhook_url,
          method: row.webhook_method,
          fields: JSON.parse(row.params) as Fields,
          token: row.idempotency_token as string,
          number: row.attempts_count,
        },
        means,
      )
      await store.transact('webhooks.assign', (tx) => settle(tx, row, job.key, made, fallbackUrl))
    }
  },
})

/** What the call came to, written down; and done, where it asks for something that can be done. */
const settle = async (
  tx: Tx,
  row: DeliveryStored,
  reservationSid: string,
  made: Attempt,
  fallbackUrl: string | null,
): Promise<void> => {
  const answer = readInstruction(made.outcome)
  const fault = 'fault' in answer ? answer.fault : await carryOut(tx, row, reservationSid, answer)
  await writeAttempt(tx, row.sid, made, fault?.reason)
  await become(tx, row, {
    state: fault ? 'failed' : 'delivered',
    outcome: fault?.name ?? outcomeName(made.outcome),
    attempts_count: row.attempts_count + 1,
  })
  if (!fault?.askElsewhere || !fallbackUrl || row.webhook_type !== 'assignment') return
  await oweInLane(tx, reservationSid, {
    ...entryOf(row),
    type: 'assignment-fallback',
    url: fallbackUrl,
    rule: 'fallback_callback',
  })
}

/** @returns why it was not done */
const carryOut = async (
  tx: Tx,
  row: DeliveryStored,
  reservationSid: string,
  { instruction, activitySid }: Instruction,
): Promise<Fault | undefined> => {
  if (instruction === 'none') return undefined
  try {
    const done = await tx.savepoint(() =>
      followInstruction(tx, { accountSid: row.account_sid, sid: reservationSid, instruction, activitySid }),
    )
    return done
      ? undefined
      : {
          name: 'reservation-over',
          reason: `The reservation was no longer pending when the instruction ${instruction} came.`,
          askElsewhere: false,
        }
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault
    return { name: 'not-carried-out', reason: fault.message, askElsewhere: true }
  }
}

const become = (
  tx: Tx,
  { sid }: DeliveryStored,
  changes: Partial<Pick<DeliveryStored, 'state' | 'rule' | 'outcome' | 'attempts_count'>>,
): Promise<unknown> =>
  update(
    tx,
    'deliveries',
    { sid },
    { ...changes, next_attempt_at: null, failing_since: null, date_updated: tx.now() },
  )

const entryOf = (row: DeliveryStored): Omit<Entry, 'type' | 'url' | 'rule'> => ({
  accountSid: row.account_sid,
  serviceSid: null,
  channelSid: null,
  messageSid: null,
  workspaceSid: row.workspace_sid,
  taskSid: row.task_sid,
  eventType: row.event_type,
  webhookSid: null,
  method: row.webhook_method,
  retryCount: 0,
  fields: JSON.parse(row.params) as Fields,
})

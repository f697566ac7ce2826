import { problem } from '@parley/contract/problem.ts'
import type { ActivityRow } from '@parley/contract/taskrouter/activity.ts'
import { TaskQueue, type TaskQueueRow } from '@parley/contract/taskrouter/task-queue.ts'
import { sql } from 'kysely'
import { bind } from '../http/binding.ts'
import { later } from '../jobs/later.ts'
import { changing, reading } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { given } from './given.ts'
import { lockToDelete } from './held.ts'
import { isRecord } from './is-record.ts'
import { seeToLatecomers } from './latecomers.ts'
import { lockParent, mustBeFree } from './named.ts'
import { keyOf, orderedListing, readOrdering } from './ordered.ts'
import { requireActivity, requireWorkspace } from './parents.ts'
import { withChannels } from './router/workers-known.ts'
import { readExpression, targetWorkers } from './text-expression.ts'
import { wakeRouter } from './wake-router.ts'
import { scopeOf, workerFacts } from './worker-scope.ts'
import { parseWorkflowConfiguration, queuesOf } from './workflow-configuration.ts'

const EVERYBODY = '1==1'

const list = orderedListing(
  'task_queues',
  (query, at: { workspaceSid: string; friendlyName?: string | undefined }, given) => {
    const own = query.where('workspace_sid', '=', at.workspaceSid)
    return given('friendlyName') ? own.where('friendly_name', '=', at.friendlyName as string) : own
  },
)

const anyTask = reading((db, at: { queueSid: string }) =>
  db
    .selectFrom('tasks')
    .select('sid')
    .where('task_queue_sid', '=', at.queueSid)
    .where('assignment_status', 'in', ['pending', 'reserved', 'assigned', 'wrapping'])
    .limit(1),
)

const workflowsOf = reading((db, at: { workspaceSid: string }) =>
  db.selectFrom('workflows').selectAll().where('workspace_sid', '=', at.workspaceSid),
)

/** What is given to one worker is offered once, whatever the queue says. Tasks that say the same already are not written. */
const refreshTasks = changing(
  (db, at: { queueSid: string; name: string; offersMax: number; lifo: number }) => {
    const turn = sql<number>`case when ${at.lifo} = 1 then -virtual_start_time else virtual_start_time end`
    const offersMax = sql<number>`case when exists (select 1 from task_transfers it
      where it.sid = tasks.transfer_sid and it.transfer_type = 'WORKER') then offers_max else ${at.offersMax} end`
    return db
      .updateTable('tasks')
      .set({
        task_queue_friendly_name: at.name,
        offers_max: offersMax,
        turn,
        waits: sql<number>`case when assignment_status in ('pending', 'reserved') and offers < ${offersMax}
          then 1 else 0 end`,
      })
      .where('task_queue_sid', '=', at.queueSid)
      .where((it) =>
        it.or([
          it('task_queue_friendly_name', '!=', at.name),
          it('offers_max', '!=', offersMax),
          it('turn', '!=', turn),
        ]),
      )
  },
)

/** The tasks that wait follow what their queue now says of order and of offers at once. */
const letTasksFollow = (tx: Tx, queue: TaskQueueRow): Promise<unknown> =>
  refreshTasks.run(tx, {
    queueSid: queue.sid,
    name: queue.friendly_name,
    offersMax: queue.max_reserved_workers,
    lifo: Number(queue.task_order === 'LIFO'),
  })

const QUEUE_CHANGED = 'taskrouter.queue-changed'

export const queueChanged = seeToLatecomers({
  kind: QUEUE_CHANGED,
  table: 'task_queues',
  findOne: (reader, sid) => find(reader, 'task_queues', { sid }),
  letFollow: letTasksFollow,
})

interface OneAsked {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string; readonly sid: string }
}

const findOne = (reader: Reader, { accountSid, path }: OneAsked): Promise<TaskQueueRow | undefined> =>
  find(reader, 'task_queues', { sid: path.sid, workspace_sid: path.workspaceSid, account_sid: accountSid })

/** The columns for the activities that a queue puts its workers into; an empty SID is none. */
const activityColumns = async (
  tx: Tx,
  workspaceSid: string,
  {
    reservationActivitySid,
    assignmentActivitySid,
  }: {
    reservationActivitySid?: string | undefined
    assignmentActivitySid?: string | undefined
  },
) => {
  const named = async (sid: string | undefined, parameter: string): Promise<ActivityRow | undefined> =>
    sid ? requireActivity(tx, workspaceSid, sid, parameter) : undefined
  const reservation = await named(reservationActivitySid, 'ReservationActivitySid')
  const assignment = await named(assignmentActivitySid, 'AssignmentActivitySid')
  return {
    ...(reservationActivitySid !== undefined && {
      reservation_activity_sid: reservation?.sid ?? null,
      reservation_activity_name: reservation?.friendly_name ?? null,
    }),
    ...(assignmentActivitySid !== undefined && {
      assignment_activity_sid: assignment?.sid ?? null,
      assignment_activity_name: assignment?.friendly_name ?? null,
    }),
  }
}

const readAttributes = (json: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(json)
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  throw problem('invalid_parameter', {
    parameter: 'EvaluateWorkerAttributes',
    reason: 'it must be a JSON object, like {"languages": ["en"]}',
  })
}

export const taskQueues = bind(TaskQueue, {
  list: {
    key: keyOf,
    rows: async (reader, call) => {
      await requireWorkspace(reader, call)
      const { workspaceSid } = call.path
      const { friendlyName, evaluateWorkerAttributes, workerSid, ordering } = call.input
      const order = readOrdering(ordering, { DateUpdated: 'date_updated', DateCreated: 'date_created' })
      const now = reader.now()
      const scopes =
        evaluateWorkerAttributes === undefined ? [] : [scopeOf(readAttributes(evaluateWorkerAttributes), now)]
      if (workerSid !== undefined) {
        const worker = await find(reader, 'workers', { sid: workerSid, workspace_sid: workspaceSid })
        if (!worker) return []
        const facts = await withChannels(reader, new Map([[worker.sid, workerFacts(worker)]]))
        scopes.push(scopeOf(facts.get(worker.sid) ?? {}, now))
      }
      const fits = (rows: readonly TaskQueueRow[]) =>
        rows.map((row) => scopes.every((it) => targetWorkers(row.target_workers).matches(it)))
      return list(reader, { workspaceSid, friendlyName }, call.page, {
        order,
        fits: scopes.length ? fits : undefined,
      })
    },
  },
  fetch: findOne,
  create: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const {
      friendlyName,
      targetWorkers: target = EVERYBODY,
      maxReservedWorkers = 1,
      taskOrder = 'FIFO',
    } = call.input
    readExpression('TargetWorkers', target)
    await mustBeFree(tx, 'task_queues', workspace.sid, friendlyName)
    const now = tx.now()
    const taskQueue: TaskQueueRow = {
      sid: tx.newSid('WQ'),
      account_sid: workspace.account_sid,
      workspace_sid: workspace.sid,
      friendly_name: friendlyName,
      target_workers: target,
      max_reserved_workers: maxReservedWorkers,
      task_order: taskOrder,
      assignment_activity_sid: null,
      assignment_activity_name: null,
      reservation_activity_sid: null,
      reservation_activity_name: null,
      ...(await activityColumns(tx, workspace.sid, call.input)),
      date_created: now,
      date_updated: now,
    }
    await insert(tx, 'task_queues', taskQueue)
    const told = { accountSid: call.accountSid, at: now, actor: call.actor, taskQueue }
    tx.record({ name: 'task-queue.created', ...told })
    return taskQueue
  },
  update: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const found = await findOne(tx, call)
    if (!found) return undefined
    const { friendlyName, targetWorkers: target, maxReservedWorkers, taskOrder } = call.input
    if (target !== undefined) readExpression('TargetWorkers', target)
    if (friendlyName !== undefined)
      await mustBeFree(tx, 'task_queues', workspace.sid, friendlyName, found.sid)
    const changes = {
      ...given({
        friendly_name: friendlyName,
        target_workers: target,
        max_reserved_workers: maxReservedWorkers,
        task_order: taskOrder,
      }),
      ...(await activityColumns(tx, workspace.sid, call.input)),
      date_updated: tx.now(),
    }
    const next: TaskQueueRow = { ...found, ...changes }
    const bearsOnTasks =
      next.friendly_name !== found.friendly_name ||
      next.max_reserved_workers !== found.max_reserved_workers ||
      next.task_order !== found.task_order
    // Tasks first: a new name locks the queue as if it were deleted.
    if (bearsOnTasks) await letTasksFollow(tx, next)
    const taskQueue = (await update(tx, 'task_queues', { sid: found.sid }, changes)) ?? found
    if (bearsOnTasks) await later(tx, { kind: QUEUE_CHANGED, key: taskQueue.sid })
    if (taskQueue.target_workers !== found.target_workers) {
      const told = { accountSid: call.accountSid, at: tx.now(), actor: call.actor, taskQueue }
      tx.record({ name: 'task-queue.expression.updated', ...told })
    }
    await wakeRouter(tx, workspace.sid)
    return taskQueue
  },
  delete: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const taskQueue = await findOne(tx, call)
    if (!taskQueue) return false
    await lockToDelete(tx, 'task_queues', { sid: taskQueue.sid, workspaceSid: workspace.sid })
    const inUse = (by: string) => problem('in_use', { what: `TaskQueue ${taskQueue.friendly_name}`, by })
    for (const workflow of await workflowsOf.all(tx, { workspaceSid: workspace.sid }))
      if (
        queuesOf(parseWorkflowConfiguration(workflow.configuration)).some((it) => it.queue === taskQueue.sid)
      )
        throw inUse(`workflow ${workflow.friendly_name} leads to it`)
    if (await anyTask.first(tx, { queueSid: taskQueue.sid })) throw inUse('it has tasks that are not over')
    await remove(tx, 'task_queues', { sid: taskQueue.sid })
    const told = { accountSid: call.accountSid, at: tx.now(), actor: call.actor, taskQueue }
    tx.record({ name: 'task-queue.deleted', ...told })
    return true
  },
})

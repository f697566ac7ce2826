import type { Actor } from '@parley/contract/actor.ts'
import { problem } from '@parley/contract/problem.ts'
import { Worker } from '@parley/contract/taskrouter/worker.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import { type AccessToken, bind } from '../http/binding.ts'
import { reading } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { StoredWorker } from '../store/tables/taskrouter.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { isYes } from './given.ts'
import { attributesAsked } from './merge-attributes.ts'
import { lockParent, mustBeFree } from './named.ts'
import { keyOf, orderedListing, readOrdering } from './ordered.ts'
import { lockTasks, lockWorkers, requireActivity, requireWorkspace } from './parents.ts'
import { lockReservation, refuseReservation } from './reservation.ts'
import { withChannels } from './router/workers-known.ts'
import { mustMatch, sayVersion } from './row-version.ts'
import { readExpression, targetWorkers } from './text-expression.ts'
import { wakeRouter } from './wake-router.ts'
import { enterActivity } from './worker-activity.ts'
import { addChannels } from './worker-channel.ts'
import { readsChannels, scopeOf, workerFacts } from './worker-scope.ts'
import { mayActFor, workerNamedBy } from './worker-token.ts'

interface Filters {
  workspaceSid: string
  activityName?: string | undefined
  activitySid?: string | undefined
  available?: number | undefined
  friendlyName?: string | undefined
}

const list = orderedListing('workers', (query, at: Filters, given) => {
  let narrowed = query.where('workspace_sid', '=', at.workspaceSid)
  if (given('activityName')) narrowed = narrowed.where('activity_name', '=', at.activityName as string)
  if (given('activitySid')) narrowed = narrowed.where('activity_sid', '=', at.activitySid as string)
  if (given('available')) narrowed = narrowed.where('available', '=', at.available as number)
  if (given('friendlyName')) narrowed = narrowed.where('friendly_name', '=', at.friendlyName as string)
  return narrowed
})

const liveOf = reading((db, at: { workerSid: string }) =>
  db
    .selectFrom('reservations')
    .selectAll()
    .where('worker_sid', '=', at.workerSid)
    .where('reservation_status', 'in', ['pending', 'accepted', 'wrapping']),
)

/**
 * A client may read what belongs to a workspace when it is one of its workers.
 * @throws 403
 */
export const mustBeOfWorkspace = async (
  reader: Reader,
  token: AccessToken | undefined,
  workspaceSid: string,
): Promise<void> => {
  if (!token) return
  const named = workerNamedBy(token)
  const worker = await find(reader, 'workers', {
    workspace_sid: workspaceSid,
    account_sid: token.accountSid,
    ...('sid' in named ? named : { friendly_name: named.friendlyName }),
  })
  if (!worker || !mayActFor(token, worker))
    throw problem('access_denied', { reason: 'this token is not of a worker of the workspace' })
}

/** @throws 403 where a token speaks for somebody else */
const mustBeOneself = (token: AccessToken | undefined, worker: StoredWorker): void => {
  if (!mayActFor(token, worker)) throw problem('access_denied', { reason: 'this token is of another worker' })
}

interface OneAsked {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string; readonly sid: string }
}

const findOne = (reader: Reader, { accountSid, path }: OneAsked): Promise<StoredWorker | undefined> =>
  find(reader, 'workers', { sid: path.sid, workspace_sid: path.workspaceSid, account_sid: accountSid })

/**
 * Makes a worker with a channel for each task channel of the workspace.
 * @throws 409 for a name that another worker of the workspace has
 */
export const createWorker = async (
  tx: Tx,
  workspace: WorkspaceRow,
  {
    friendlyName,
    activitySid,
    attributes = '{}',
    actor,
  }: {
    friendlyName: string
    activitySid?: string | undefined
    attributes?: string | undefined
    actor: Actor
  },
): Promise<StoredWorker> => {
  await mustBeFree(tx, 'workers', workspace.sid, friendlyName)
  const activity =
    activitySid !== undefined
      ? await requireActivity(tx, workspace.sid, activitySid, 'ActivitySid')
      : workspace.default_activity_sid
        ? await find(tx, 'activities', { sid: workspace.default_activity_sid })
        : undefined
  const now = tx.now()
  const worker: StoredWorker = {
    sid: tx.newSid('WK'),
    account_sid: workspace.account_sid,
    workspace_sid: workspace.sid,
    friendly_name: friendlyName,
    activity_sid: activity?.sid ?? null,
    activity_name: activity?.friendly_name ?? null,
    available: activity?.available ?? 0,
    attributes,
    date_status_changed: now,
    date_created: now,
    date_updated: now,
    version: 0,
    in_hand: 0,
    idle_since: now,
  }
  await insert(tx, 'workers', worker)
  await addChannels(tx, worker, workspace)
  tx.record({ name: 'worker.created', accountSid: worker.account_sid, at: now, actor, worker })
  if (worker.available) await wakeRouter(tx, workspace.sid)
  return worker
}

interface Changes {
  readonly activitySid?: string | undefined
  readonly attributes?: string | undefined
  /** JSON, merged into the attributes. */
  readonly attributesMerge?: string | undefined
  readonly friendlyName?: string | undefined
  readonly rejectPendingReservations?: boolean | undefined
}

const change = async (
  tx: Tx,
  found: StoredWorker,
  workspace: WorkspaceRow,
  { activitySid, friendlyName, rejectPendingReservations, ...asked }: Changes,
  { actor, ifMatch }: { actor: Actor; ifMatch: string | undefined },
): Promise<StoredWorker> => {
  const activity =
    activitySid === undefined
      ? undefined
      : await requireActivity(tx, workspace.sid, activitySid, 'ActivitySid')
  const leaves = activity?.available === 0 && rejectPendingReservations
  // Tasks are locked before workers, so what is offered to the worker is looked up first.
  const offers = leaves ? (await liveOf.all(tx, { workerSid: found.sid })).filter(isPending) : []
  await lockTasks(
    tx,
    offers.map((it) => it.task_sid),
  )
  let worker = await lockOne(tx, found.sid)
  mustMatch({ ifMatch }, worker)
  for (const { sid } of offers) {
    const locked = await lockReservation(tx, found.account_sid, sid)
    if (locked && isPending(locked.reservation))
      await refuseReservation(tx, { ...locked, to: 'rejected', actor })
  }
  if (offers.length) worker = await lockOne(tx, found.sid)
  if (activity) worker = await enterActivity(tx, { worker, activity, actor })
  const renamed = friendlyName !== undefined && friendlyName !== worker.friendly_name
  const attributes = attributesAsked(worker.attributes, asked)
  const learned = attributes !== worker.attributes
  if (!renamed && !learned) return worker
  if (renamed) await mustBeFree(tx, 'workers', workspace.sid, friendlyName, worker.sid)
  const changed = await update(
    tx,
    'workers',
    { sid: worker.sid },
    {
      friendly_name: friendlyName ?? worker.friendly_name,
      attributes,
      date_updated: tx.now(),
      version: worker.version + 1,
    },
  )
  worker = changed ?? worker
  if (renamed) await update(tx, 'reservations', { worker_sid: worker.sid }, { worker_name: friendlyName })
  tx.record({
    name: learned ? 'worker.attributes.update' : 'worker.renamed',
    accountSid: worker.account_sid,
    at: tx.now(),
    actor,
    worker,
  })
  await wakeRouter(tx, workspace.sid)
  return worker
}

const isPending = (it: { reservation_status: string }): boolean => it.reservation_status === 'pending'

const lockOne = async (tx: Tx, sid: string): Promise<StoredWorker> => {
  const worker = (await lockWorkers(tx, [sid])).get(sid)
  if (!worker) throw problem('not_found', { path: `/Workers/${sid}` })
  return worker
}

export const workers = bind(Worker, {
  list: {
    key: keyOf,
    rows: async (reader, call) => {
      await requireWorkspace(reader, call)
      const { workspaceSid } = call.path
      const { targetWorkersExpression, taskQueueName, taskQueueSid, ordering, available, ...filters } =
        call.input
      const order = readOrdering(ordering, {
        DateStatusChanged: 'date_status_changed',
        DateCreated: 'date_created',
        DateUpdated: 'date_updated',
      })
      const expressions =
        targetWorkersExpression === undefined
          ? []
          : [readExpression('TargetWorkersExpression', targetWorkersExpression)]
      if (taskQueueSid !== undefined || taskQueueName !== undefined) {
        const queue = await find(reader, 'task_queues', {
          workspace_sid: workspaceSid,
          ...(taskQueueSid !== undefined && { sid: taskQueueSid }),
          ...(taskQueueName !== undefined && { friendly_name: taskQueueName }),
        })
        if (!queue) return []
        expressions.push(targetWorkers(queue.target_workers))
      }
      const now = reader.now()
      const fits = async (rows: readonly StoredWorker[]) => {
        const known = new Map(rows.map((it) => [it.sid, workerFacts(it)]))
        const facts = expressions.some(readsChannels) ? await withChannels(reader, known) : known
        return rows.map(({ sid }) => {
          const scope = scopeOf(facts.get(sid) ?? {}, now)
          return expressions.every((it) => it.matches(scope))
        })
      }
      return list(
        reader,
        {
          ...filters,
          workspaceSid,
          available: available === undefined ? undefined : Number(isYes(available)),
        },
        call.page,
        { order, fits: expressions.length ? fits : undefined },
      )
    },
  },
  fetch: async (reader, call) => {
    const worker = await findOne(reader, call)
    if (!worker) return undefined
    mustBeOneself(call.token, worker)
    sayVersion(call, worker)
    return worker
  },
  create: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const worker = await createWorker(tx, workspace, { ...call.input, actor: call.actor })
    sayVersion(call, worker)
    return worker
  },
  update: async (tx, call) => {
    const { input, token } = call
    const workspace =
      input.friendlyName === undefined ? await requireWorkspace(tx, call) : await lockParent(tx, call)
    const found = await findOne(tx, call)
    if (!found) return undefined
    mustBeOneself(token, found)
    const { attributes, attributesMerge, friendlyName } = input
    // Attributes and names decide who gets what, so a worker does not write their own.
    if (token && [attributes, attributesMerge, friendlyName].some((it) => it !== undefined))
      throw problem('access_denied', { reason: "a worker's token may change only their activity" })
    const worker = await change(tx, found, workspace, input, call)
    sayVersion(call, worker)
    return worker
  },
  delete: async (tx, call) => {
    const found = await findOne(tx, call)
    if (!found) return false
    const worker = await lockOne(tx, found.sid)
    mustMatch(call, worker)
    if ((await liveOf.all(tx, { workerSid: worker.sid })).length)
      throw problem('in_use', {
        what: `Worker ${worker.friendly_name}`,
        by: 'reservations that have not ended',
      })
    await remove(tx, 'worker_channels', { worker_sid: worker.sid })
    await remove(tx, 'workers', { sid: worker.sid })
    await wakeRouter(tx, worker.workspace_sid)
    tx.record({
      name: 'worker.deleted',
      accountSid: call.accountSid,
      at: tx.now(),
      actor: call.actor,
      worker,
    })
    return true
  },
})

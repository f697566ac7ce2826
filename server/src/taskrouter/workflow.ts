import { problem } from '@parley/contract/problem.ts'
import {
  RESERVATION_TIMEOUT_SECONDS,
  Workflow,
  type WorkflowRow,
} from '@parley/contract/taskrouter/workflow.ts'
import { bind } from '../http/binding.ts'
import { later } from '../jobs/later.ts'
import { listing } from '../store/listing.ts'
import { reading } from '../store/query.ts'
import { find, insert, remove, update } from '../store/rows.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { given, isYes, orCleared } from './given.ts'
import { lockToChange, lockToDelete } from './held.ts'
import { lockParent, mustBeFree } from './named.ts'
import { requireWorkspace } from './parents.ts'
import { parseWorkflowConfiguration, queuesOf, WorkflowConfigurationError } from './workflow-configuration.ts'

export const RE_EVALUATE = 'taskrouter.re-evaluate'

const list = listing(
  'workflows',
  'sid',
  (query, at: { workspaceSid: string; friendlyName?: string }, given) => {
    const own = query.where('workspace_sid', '=', at.workspaceSid)
    return given('friendlyName') ? own.where('friendly_name', '=', at.friendlyName as string) : own
  },
)

const anyTask = reading((db, at: { workflowSid: string }) =>
  db
    .selectFrom('tasks')
    .select('sid')
    .where('workflow_sid', '=', at.workflowSid)
    .where('assignment_status', 'in', ['pending', 'reserved', 'assigned', 'wrapping'])
    .limit(1),
)

interface OneAsked {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string; readonly sid: string }
}

const findOne = (reader: Reader, { accountSid, path }: OneAsked): Promise<WorkflowRow | undefined> =>
  find(reader, 'workflows', { sid: path.sid, workspace_sid: path.workspaceSid, account_sid: accountSid })

/** @throws 400 that names the place in the JSON, also for a queue that the workspace does not have */
const mustBeSound = async (tx: Tx, workspaceSid: string, configuration: string): Promise<void> => {
  try {
    // Thousands of targets may lead to a few queues, and the workspace waits until all are found.
    const found = new Set<string>()
    for (const { queue, place } of queuesOf(parseWorkflowConfiguration(configuration))) {
      if (found.has(queue)) continue
      if (!(await find(tx, 'task_queues', { sid: queue, workspace_sid: workspaceSid })))
        throw problem('workflow_invalid', {
          reason: `${place}: there is no task queue ${queue.slice(0, 60)} in the workspace`,
        })
      found.add(queue)
    }
  } catch (fault) {
    if (!(fault instanceof WorkflowConfigurationError)) throw fault
    throw problem('workflow_invalid', { reason: fault.message })
  }
}

export const workflows = bind(Workflow, {
  list: async (reader, call) => {
    await requireWorkspace(reader, call)
    const { friendlyName } = call.input
    const { workspaceSid } = call.path
    return list(reader, { workspaceSid, ...(friendlyName !== undefined && { friendlyName }) }, call.page)
  },
  fetch: findOne,
  create: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const { friendlyName, configuration, taskReservationTimeout = RESERVATION_TIMEOUT_SECONDS } = call.input
    await mustBeFree(tx, 'workflows', workspace.sid, friendlyName)
    await mustBeSound(tx, workspace.sid, configuration)
    const now = tx.now()
    const workflow: WorkflowRow = {
      sid: tx.newSid('WW'),
      account_sid: workspace.account_sid,
      workspace_sid: workspace.sid,
      friendly_name: friendlyName,
      configuration,
      document_content_type: 'application/json',
      assignment_callback_url: orCleared(call.input.assignmentCallbackUrl),
      fallback_assignment_callback_url: orCleared(call.input.fallbackAssignmentCallbackUrl),
      task_reservation_timeout: taskReservationTimeout,
      date_created: now,
      date_updated: now,
    }
    await insert(tx, 'workflows', workflow)
    tx.record({ name: 'workflow.created', accountSid: call.accountSid, at: now, actor: call.actor, workflow })
    return workflow
  },
  update: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const found = await findOne(tx, call)
    if (!found) return undefined
    const { friendlyName, configuration, reEvaluateTasks, ...input } = call.input
    if (friendlyName !== undefined) await mustBeFree(tx, 'workflows', workspace.sid, friendlyName, found.sid)
    if (configuration !== undefined) {
      await mustBeSound(tx, workspace.sid, configuration)
      await lockToChange(tx, 'workflows', { sid: found.sid, workspaceSid: workspace.sid })
    }
    const url = (it: string | undefined) => (it === undefined ? undefined : orCleared(it))
    const workflow =
      (await update(
        tx,
        'workflows',
        { sid: found.sid },
        {
          ...given({
            friendly_name: friendlyName,
            configuration,
            task_reservation_timeout: input.taskReservationTimeout,
            assignment_callback_url: url(input.assignmentCallbackUrl),
            fallback_assignment_callback_url: url(input.fallbackAssignmentCallbackUrl),
          }),
          date_updated: tx.now(),
        },
      )) ?? found
    if (workflow.friendly_name !== found.friendly_name)
      await update(
        tx,
        'tasks',
        { workflow_sid: workflow.sid },
        { workflow_friendly_name: workflow.friendly_name },
      )
    tx.record({
      name: 'workflow.updated',
      accountSid: call.accountSid,
      at: tx.now(),
      actor: call.actor,
      workflow,
    })
    // There may be many tasks, so they go through it one by one, after.
    if (reEvaluateTasks !== undefined && isYes(reEvaluateTasks))
      await later(tx, { kind: RE_EVALUATE, key: workflow.sid })
    return workflow
  },
  delete: async (tx, call) => {
    const workspace = await lockParent(tx, call)
    const workflow = await findOne(tx, call)
    if (!workflow) return false
    await lockToDelete(tx, 'workflows', { sid: workflow.sid, workspaceSid: workspace.sid })
    if (await anyTask.first(tx, { workflowSid: workflow.sid }))
      throw problem('in_use', {
        what: `Workflow ${workflow.friendly_name}`,
        by: 'it has tasks that are not over',
      })
    await remove(tx, 'workflows', { sid: workflow.sid })
    tx.record({
      name: 'workflow.deleted',
      accountSid: call.accountSid,
      at: tx.now(),
      actor: call.actor,
      workflow,
    })
    return true
  },
})

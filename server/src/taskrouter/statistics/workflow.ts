/** How the tasks of a workflow are doing, now and over a window. */
import { problem } from '@parley/contract/problem.ts'
import {
  WorkflowCumulativeStatistics,
  WorkflowRealTimeStatistics,
  WorkflowStatistics,
} from '@parley/contract/taskrouter/workflow-statistics.ts'
import { bind } from '../../http/binding.ts'
import { find } from '../../store/rows.ts'
import type { Reader } from '../../store/tx.ts'
import { asJson, inColumns } from './answer.ts'
import { type Asked, type Of, readAsked } from './asked.ts'
import { count, tasksCounted } from './counted.ts'
import { tasksNow } from './tasks-now.ts'
import { readSplits, readWindow } from './window.ts'

interface AskedOfOne extends Asked {
  readonly path: { readonly workspaceSid: string; readonly workflowSid: string }
}

/** @throws 404 for a workflow the workspace does not have */
const read = async (reader: Reader, call: AskedOfOne) => {
  const of = await readAsked(reader, call)
  const { workspaceSid, workflowSid } = call.path
  if (!(await find(reader, 'workflows', { sid: workflowSid, workspace_sid: workspaceSid })))
    throw problem('not_found', { path: `/Workspaces/${workspaceSid}/Workflows/${workflowSid}` })
  return { ...of, workflowSid, whose: { ...of.whose, workflow_sid: workflowSid } }
}

type OfWorkflow = Of & { readonly workflowSid: string }

const realtime = (reader: Reader, { workflowSid, channelSid }: OfWorkflow) =>
  tasksNow(reader, { workflowSid }, channelSid)

const cumulative = async (
  reader: Reader,
  { workspace, workflowSid, channelSid }: OfWorkflow,
  { input }: Asked,
) => {
  const window = readWindow(reader.now(), input)
  const splits = readSplits(input.splitByWaitTime)
  const scope = { workspaceSid: workspace.sid, workflowSid, channelSid }
  const counted = await count(reader, scope, window, splits)
  return {
    ...tasksCounted(counted, window),
    // Every task with a workflow was given to it when it was made.
    tasks_entered: counted.of('task.created').count,
    tasks_timed_out_in_workflow: counted.of('workflow.timeout').count,
  }
}

export const workflowStatistics = [
  bind(WorkflowStatistics, {
    fetch: async (reader, call) => {
      const it = await read(reader, call)
      return {
        ...it.whose,
        cumulative: asJson(await cumulative(reader, it, call)),
        realtime: JSON.stringify(await realtime(reader, it)),
      }
    },
  }),
  bind(WorkflowRealTimeStatistics, {
    fetch: async (reader, call) => {
      const it = await read(reader, call)
      return { ...it.whose, ...inColumns(await realtime(reader, it)) }
    },
  }),
  bind(WorkflowCumulativeStatistics, {
    fetch: async (reader, call) => {
      const it = await read(reader, call)
      return { ...it.whose, ...inColumns(await cumulative(reader, it, call)) }
    },
  }),
]

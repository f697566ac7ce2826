/** How a workspace is doing, now and over a window. */
import {
  WorkspaceCumulativeStatistics,
  WorkspaceRealTimeStatistics,
  WorkspaceStatistics,
} from '@parley/contract/taskrouter/workspace-statistics.ts'
import { bind } from '../../http/binding.ts'
import type { Reader } from '../../store/tx.ts'
import { asJson, inColumns } from './answer.ts'
import { type Asked, type Of, readAsked } from './asked.ts'
import { count, tasksCounted } from './counted.ts'
import { tasksNow } from './tasks-now.ts'
import { readSplits, readWindow } from './window.ts'
import { workersNow } from './workers-now.ts'

const realtime = async (reader: Reader, { workspace, channelSid }: Of) => ({
  ...(await tasksNow(reader, { workspaceSid: workspace.sid }, channelSid)),
  ...(await workersNow(reader, workspace.sid, channelSid)),
})

const cumulative = async (reader: Reader, { workspace, channelSid }: Of, { input }: Asked) => {
  const window = readWindow(reader.now(), input)
  const splits = readSplits(input.splitByWaitTime)
  const counted = await count(reader, { workspaceSid: workspace.sid, channelSid }, window, splits)
  return {
    ...tasksCounted(counted, window),
    tasks_created: counted.of('task.created').count,
    tasks_timed_out_in_workflow: counted.of('workflow.timeout').count,
  }
}

export const workspaceStatistics = [
  bind(WorkspaceStatistics, {
    fetch: async (reader, call) => {
      const it = await readAsked(reader, call)
      return {
        ...it.whose,
        cumulative: asJson(await cumulative(reader, it, call)),
        realtime: JSON.stringify(await realtime(reader, it)),
      }
    },
  }),
  bind(WorkspaceRealTimeStatistics, {
    fetch: async (reader, call) => {
      const it = await readAsked(reader, call)
      return { ...it.whose, ...inColumns(await realtime(reader, it)) }
    },
  }),
  bind(WorkspaceCumulativeStatistics, {
    fetch: async (reader, call) => {
      const it = await readAsked(reader, call)
      return { ...it.whose, ...inColumns(await cumulative(reader, it, call)) }
    },
  }),
]

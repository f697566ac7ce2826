/** Statistics: what is now, read off the rows; what was, counted from what was written down as it happened. */
import type { Binding } from '../../http/binding.ts'
import { taskQueueStatistics } from './task-queue.ts'
import { workerStatistics } from './workers.ts'
import { workflowStatistics } from './workflow.ts'
import { workspaceStatistics } from './workspace.ts'

export { reactions } from './record.ts'
export { sweep } from './sweep.ts'

export const statistics: readonly Binding[] = [
  ...workspaceStatistics,
  ...taskQueueStatistics,
  ...workerStatistics,
  ...workflowStatistics,
]

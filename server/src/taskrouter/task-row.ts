/** A stored task as it is told: its age is read off the clock. */
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { StoredTask } from '../store/tables/taskrouter.ts'

export const taskRow = (task: StoredTask, now: number): TaskRow & StoredTask => ({
  ...task,
  age: Math.max(0, Math.floor((now - task.date_created) / 1000)),
  addons: '{}',
})

/**
 * Whether a workflow leads the task from target to target. One that was sent straight to a queue or a worker may have a
 * workflow, too: how long its offers stand and who is asked about them is that workflow's to say, and where it goes is not.
 */
export const isLed = ({ workflow_sid, routing_target }: StoredTask): boolean =>
  workflow_sid !== null && (routing_target === null || routing_target === workflow_sid)

/** Still to be given to a worker. */
export const isLive = ({ assignment_status }: Pick<TaskRow, 'assignment_status'>): boolean =>
  assignment_status === 'pending' || assignment_status === 'reserved'

/** Over: it waits only to be swept. */
export const isOver = ({ assignment_status }: Pick<TaskRow, 'assignment_status'>): boolean =>
  assignment_status === 'canceled' || assignment_status === 'completed'

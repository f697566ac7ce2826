/** TaskRouter v1: every resource with its verbs; all that is published is served. */
import type { Routes } from '../http/binding.ts'
import { activities } from './activity.ts'
import { events } from './event.ts'
import { taskExplanations } from './explain/task.ts'
import { workerExplanations } from './explain/worker.ts'
import { taskReservations, workerReservations } from './reservation.ts'
import { statistics } from './statistics/index.ts'
import { tasks } from './task.ts'
import { taskChannels } from './task-channel.ts'
import { taskQueues } from './task-queue.ts'
import { workers } from './worker.ts'
import { workerChannels } from './worker-channel.ts'
import { workflows } from './workflow.ts'
import { workspaces } from './workspace.ts'

export const routes: Routes = {
  served: [
    workspaces,
    activities,
    workers,
    workerChannels,
    taskQueues,
    workflows,
    taskChannels,
    tasks,
    taskReservations,
    workerReservations,
    events,
    taskExplanations,
    workerExplanations,
    ...statistics,
  ],
  unserved: [],
}

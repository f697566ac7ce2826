/** TaskRouter v1: every resource with its verbs, and what is not served. */
import { TaskRouterUnserved } from '@parley/contract/taskrouter/unserved.ts'
import type { Routes } from '../http/binding.ts'
import { taskReservations, workerReservations } from './reservation.ts'
import { tasks } from './task.ts'

export const routes: Routes = {
  served: [tasks, taskReservations, workerReservations],
  unserved: TaskRouterUnserved,
}

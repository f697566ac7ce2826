/** What other rooms may use of TaskRouter. */
import type { JointReaction } from '../events/react.ts'
import { keepEvents } from './keep-event.ts'
import { reactions as counting } from './statistics/index.ts'

export { forgetEvents } from './forget-events.ts'
export { followInstruction } from './instruction.ts'
export { handlers } from './jobs.ts'
export { liveReservations, workersWith } from './offer.ts'
export { type Offered, offersOf, withTasks } from './offered.ts'
export { keyOf } from './ordered.ts'
export {
  findTask,
  findTaskChannel,
  findWorkflow,
  findWorkspace,
} from './parents.ts'
export { provisionWorkspace } from './provision.ts'
export { acceptReservation, lockReservation, refuseReservation, updateReservation } from './reservation.ts'
export { routes } from './routes.ts'
export { cancelTask, completeTask, createTask, type TaskWanted, updateTaskAttributes } from './task.ts'
export { isOver, taskRow } from './task-row.ts'
export { cancelTransfer, startTransfer } from './transfer.ts'
export { expectGone } from './worker-gone.ts'
/** TaskRouter does nothing about what happens elsewhere: it keeps what happens here. */
export const reactions: readonly JointReaction[] = [keepEvents, ...counting]

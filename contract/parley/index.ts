export { Delivery } from './delivery.ts'
export { TaskExplanation, WorkerExplanation } from './explanation.ts'

export { Delivery } from './delivery.ts'

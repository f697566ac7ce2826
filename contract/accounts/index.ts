export { Account, ApiKey } from './account.ts'

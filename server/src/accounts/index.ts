export {
  type AccountRow,
  allAccounts,
  authTokenOf,
  changeApiKeySecret,
  changeAuthToken,
  createAccount,
  createApiKey,
  findAccount,
  findApiKey,
  type NewAccount,
  signingKeyOf,
} from './account.ts'
export { authenticate, believeToken, type Caller } from './authenticate.ts'
export { accountRoutes, type ProvisionAccount } from './routes.ts'

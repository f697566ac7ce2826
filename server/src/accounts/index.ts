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
  signingKeyOf,
} from './account.ts'
export { accountRoutes, type ProvisionAccount } from './routes.ts'
export { authenticate, believeToken, type Caller } from './authenticate.ts'

export { ACCESS_TOPIC, whyShut } from './access.ts'
export { mintAccessToken, requireGrant, requireGrantFor } from './access-token.ts'
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
export { checkSignature, checkTimes, isRecord, readJwt } from './jwt.ts'
export { accountRoutes, type ProvisionAccount } from './routes.ts'

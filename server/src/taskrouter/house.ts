/** Whose doing it is when nobody asked. */
import type { Actor } from '@parley/contract/actor.ts'

/** Time, routing and the janitor act as the account's own back end would. */
export const HOUSE: Actor = { kind: 'api', webhooks: true, house: true }

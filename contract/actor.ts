/**
 * Who does something, as events and webhooks tell it.
 *
 * - `api`: an account's back end, with an auth token or an API key. `Source=API` in webhooks; they are sent only
 *   where the request asked for them with `X-Twilio-Webhook-Enabled: true`. With `house`, nobody asked: time, routing.
 * - `client`: a person's client, with an access token, or what the house does on a person's behalf (an agent who
 *   accepted is joined to the channel). `Source=SDK`; webhooks are always sent.
 */
export type Actor =
  | { readonly kind: 'api'; readonly webhooks: boolean; readonly house?: true }
  | { readonly kind: 'client'; readonly identity: string }

/** The author of what the API does without naming one. */
export const SYSTEM_IDENTITY = 'system'

export const identityOf = (actor: Actor): string =>
  actor.kind === 'client' ? actor.identity : SYSTEM_IDENTITY

export const sourceOf = (actor: Actor): 'API' | 'SDK' => (actor.kind === 'client' ? 'SDK' : 'API')

/** Whether what the actor does is told to webhooks. */
export const isHeard = (actor: Actor): boolean => actor.kind === 'client' || actor.webhooks

/** How a room's verbs are tied to a resource's declaration. This file is all that rooms may import from here. */
import type { Actor } from '@parley/contract/actor.ts'
import type {
  InputFor,
  PathFor,
  ResourceDeclaration,
  RowOf,
  Unserved,
  Verb,
} from '@parley/contract/resource.ts'
import type { PageAsked } from '../store/listing.ts'
import type { Reader, Tx } from '../store/tx.ts'

/** A client's access token, once it is believed. */
export interface AccessToken {
  readonly accountSid: string
  readonly keySid: string
  readonly identity: string
  readonly grants: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** One request, read and believed. */
export interface Call<Path = object, Input = object> {
  /** Whose resources these are: every query is narrowed to it. */
  readonly accountSid: string
  readonly actor: Actor
  /** Present when a client asks with an access token; then roles and grants rule. */
  readonly token: AccessToken | undefined
  readonly path: Path
  readonly input: Input
  readonly page: PageAsked
  readonly ifMatch: string | undefined
  /** The body of a JSON request, as it came. */
  readonly json: unknown
  /** Adds a header to the answer. */
  say(header: string, value: string): void
}

export type ListVerb<R extends ResourceDeclaration, Row = RowOf<R>> = (
  reader: Reader,
  call: Call<PathFor<R, 'list'>, InputFor<R, 'list'>>,
) => Promise<Row[]>

interface VerbsInFull<R extends ResourceDeclaration> {
  /**
   * Up to `page.limit` rows. `key` gives the place of a row in the list, for page tokens: its `sid` unless said
   * otherwise. `sid` keys make tokens like Twilio's (`PAIS…`), others are bare.
   */
  list: ListVerb<R> | { rows: ListVerb<R>; key: (row: RowOf<R>) => string | number }
  /** Nothing found is answered 404 / 20404. */
  fetch: (
    reader: Reader,
    call: Call<PathFor<R, 'fetch'>, InputFor<R, 'fetch'>>,
  ) => Promise<RowOf<R> | undefined>
  create: (tx: Tx, call: Call<PathFor<R, 'create'>, InputFor<R, 'create'>>) => Promise<RowOf<R>>
  update: (tx: Tx, call: Call<PathFor<R, 'update'>, InputFor<R, 'update'>>) => Promise<RowOf<R> | undefined>
  /** Whether there was anything to delete; if not, 404. */
  delete: (tx: Tx, call: Call<PathFor<R, 'delete'>, InputFor<R, 'delete'>>) => Promise<boolean>
}

/**
 * Asked of the network before a verb; may change what is asked, or refuse it.
 * @param rehearse runs the verb and undoes it: what it would refuse, it refuses before anybody is asked
 */
export type Gate = (
  reader: Reader,
  resource: ResourceDeclaration,
  verb: Verb,
  call: Call,
  rehearse: () => Promise<void>,
) => Promise<Call>

/** Exactly the verbs that the declaration has. */
export type Verbs<R extends ResourceDeclaration> = {
  [V in keyof R['operations'] & Verb]: VerbsInFull<R>[V]
}

/** An operation as it is asked inside the house, for a client whose socket it came through. */
export interface Asking<Path> {
  readonly token: AccessToken
  readonly path: Path
  /** By the names of the form: `FriendlyName`. */
  readonly form?: Readonly<Record<string, unknown>> | undefined
  /** Of a list. */
  readonly page?: PageAsked | undefined
  readonly ifMatch?: string | undefined
  /**
   * Whoever asks has decided what the token may do: the verb is asked as by the account's own back end, and of the
   * token only its identity remains, as the actor's.
   */
  readonly isDecided?: true
}

interface Performed<R extends ResourceDeclaration> {
  list: RowOf<R>[]
  fetch: RowOf<R>
  create: RowOf<R>
  update: RowOf<R>
  delete: undefined
}

/**
 * Asks an operation as REST does: form, gate, verb.
 * @throws what is refused, and 404 / 20404 where there is nothing
 */
export type Perform = <R extends ResourceDeclaration, V extends keyof R['operations'] & Verb>(
  resource: R,
  verb: V,
  asking: Asking<PathFor<R, V>>,
) => Promise<Performed<R>[V]>

export interface Binding {
  readonly resource: ResourceDeclaration
  readonly verbs: Partial<Record<Verb, unknown>>
}

export const bind = <const R extends ResourceDeclaration>(resource: R, verbs: Verbs<R>): Binding => ({
  resource,
  verbs,
})

/** A room's table of contents. */
export interface Routes {
  readonly served: readonly Binding[]
  readonly unserved: readonly Unserved[]
}

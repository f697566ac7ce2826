/**
 * A resource of the published API, declared once. From a declaration follow its routes, the reading of forms,
 * the JSON of its answers, `url` and `links`, pages, the 404, the OpenAPI document, the client's types and the
 * coverage table. The verbs that make it live are bound to it in the server's rooms.
 */
import type { Answer, Asked, Form, InCode, Row } from './field.ts'

/** `flex` v1, `chat` v2 … and `parley`, what we add. Only for documents: paths tell products apart. */
export type Product = 'accounts' | 'chat' | 'flex' | 'iam' | 'parley' | 'preview' | 'studio' | 'taskrouter'

/** Who may ask at all; what a client may then do is for roles and grants to say. */
export type OpenTo = 'accounts' | 'clients' | 'anyone'

export interface Operation {
  readonly form?: Form
  /** How the body is written; forms unless the published client sends JSON. */
  readonly reads?: 'form' | 'json'
  readonly openTo?: OpenTo
  /** One sentence for the documents, where the name says too little. */
  readonly about?: string
  /** The status of success, where it is not Twilio's usual one. */
  readonly status?: number
}

export interface Operations {
  readonly list?: Operation
  readonly fetch?: Operation
  readonly create?: Operation
  readonly update?: Operation
  readonly delete?: Operation
}

export interface ResourceDeclaration {
  readonly product: Product
  /** The published schema's name where there is one: `chat.v2.service.channel`. */
  readonly name: string
  /** The address of the collection: list and create. */
  readonly many?: string
  /** The address of one: fetch, update and delete. */
  readonly one?: string
  /** The key of the array in a page. */
  readonly key?: string
  readonly pageSize?: {
    readonly default: number
    readonly max: number
    /** `Page` without a token is refused instead of passed over. */
    readonly byToken?: boolean
  }
  /** How page tokens name a row: by its SID, or where the list is ordered otherwise by that order's own key. */
  readonly pageKey?: 'sid' | 'number' | 'text'
  readonly answer: Answer
  /** Relative addresses; `{column}` is filled from the row, and a link whose column is null is null. */
  readonly links?: Readonly<Record<string, string>>
  /** The address of `url`, where it is not `one` with its `{Names}` read from the columns. */
  readonly url?: string
  readonly openTo?: OpenTo
  readonly operations: Operations
}

export const resource = <const R extends ResourceDeclaration>(declaration: R): R => declaration

/** Operations we know and do not serve: they answer 501 with the reason, and stand in the coverage table. */
export interface Unserved {
  readonly product: Product
  readonly why: string
  /** `GET /v2/Flows/{Sid}` */
  readonly operations: readonly string[]
}

export const unserved = (product: Product, why: string, operations: readonly string[]): Unserved => ({
  product,
  why,
  operations,
})

/** The columns of a resource's answer, as a row holds them. */
export type RowOf<R extends ResourceDeclaration> = Row<R['answer']>

type Holes<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? InCode<Name> | Holes<Rest>
  : never

type PathOf<P> = P extends string ? { readonly [N in Holes<P>]: string } : Record<never, string>

export type Verb = keyof Operations

/** The path values of a verb: `{ serviceSid, sid }`. */
export type PathFor<R extends ResourceDeclaration, V extends Verb> = V extends 'list' | 'create'
  ? PathOf<R['many']>
  : PathOf<R['one']>

/** What a verb is handed of the form or the query. */
export type InputFor<R extends ResourceDeclaration, V extends Verb> =
  NonNullable<R['operations'][V]> extends { readonly form: infer F extends Form }
    ? Asked<F>
    : Record<never, never>

export const METHODS = {
  list: 'GET',
  fetch: 'GET',
  create: 'POST',
  update: 'POST',
  delete: 'DELETE',
} as const

export const SUCCESS = { list: 200, fetch: 200, create: 201, update: 200, delete: 204 } as const

export const addressOf = (it: ResourceDeclaration, verb: Verb): string => {
  const address = verb === 'list' || verb === 'create' ? it.many : it.one
  if (address === undefined) throw new Error(`${it.name} has no address for ${verb}`)
  return address
}

export const verbsOf = (it: ResourceDeclaration): Verb[] => Object.keys(it.operations) as Verb[]

/** `GET /v2/Services/{Sid}`: how an operation is named everywhere. */
export const operationName = (it: ResourceDeclaration, verb: Verb): string =>
  `${METHODS[verb]} ${addressOf(it, verb)}`

/** `Integration.FlowSid` → `integrationFlowSid` */
export const inCode = (wire: string): string => {
  const joined = wire.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase())
  return joined[0]?.toLowerCase() + joined.slice(1)
}

/** `ServiceSid` → `service_sid` */
export const inColumns = (wire: string): string =>
  wire.replace(/[A-Z]/g, (letter, at: number) => `${at ? '_' : ''}${letter.toLowerCase()}`)

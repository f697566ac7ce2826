/**
 * One operation of a resource, from the request that the door has let in to its answer: what is asked is read, the
 * gate is asked, the verb runs, in a transaction where it changes something, and the row becomes JSON.
 */
import type { Present } from '@parley/contract/present.ts'
import { problem } from '@parley/contract/problem.ts'
import {
  inCode,
  METHODS,
  operationName,
  type ResourceDeclaration,
  SUCCESS,
  type Verb,
} from '@parley/contract/resource.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Reader, Store, Tx } from '../store/tx.ts'
import type { AccessToken, Asking, Binding, Call, Gate, Perform } from './binding.ts'
import { notFound, pathOf } from './faults.ts'
import { formReader, type Sent } from './forms.ts'
import { type KeyKind, type Page, paged, readPage } from './pages.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined where anyone may. */
    caller: { accountSid: string; token: AccessToken | undefined } | undefined
  }
}

/** What every operation is served with. */
export interface Serving {
  readonly store: Store
  /** Without a slash at its end. */
  readonly publicUrl: string
  readonly gate: Gate
  /** Whether the account in a public address exists. */
  readonly exists: (accountSid: string) => Promise<boolean>
}

interface Operated {
  readonly resource: ResourceDeclaration
  readonly verb: Verb
  readonly bound: unknown
  readonly present: Present
  readonly serving: Serving
}

type Row = Readonly<Record<string, unknown>>

interface Bound {
  list: ((reader: Reader, call: Call) => Promise<Row[]>) | ListInFull
  fetch: (reader: Reader, call: Call) => Promise<Row | undefined>
  create: (tx: Tx, call: Call) => Promise<Row>
  update: (tx: Tx, call: Call) => Promise<Row | undefined>
  delete: (tx: Tx, call: Call) => Promise<boolean>
}

interface ListInFull {
  readonly rows: (reader: Reader, call: Call) => Promise<Row[]>
  readonly key: (row: Row) => string | number
}

/** Ends a rehearsal, so that nothing of it stays. */
const UNDONE = new Error('a rehearsal is undone')

type Changing = (tx: Tx, call: Call) => Promise<unknown>

/** Runs a verb and undoes it. @throws what it refuses */
const rehearse = async (store: Store, name: string, verb: Changing, call: Call): Promise<void> => {
  try {
    await store.transact(`rehearse ${name}`, async (tx) => {
      await verb(tx, call)
      throw UNDONE
    })
  } catch (fault) {
    if (fault !== UNDONE) throw fault
  }
}

const NO_PAGE: Page = { size: 0, limit: 0, number: 0 }

/** Fastify's handler of one operation: reads the call, asks the gate, runs the verb, presents what it gave. */
export const operationHandler = ({ resource, verb, bound, present, serving }: Operated) => {
  const { store, publicUrl, gate, exists } = serving
  const declared = resource.operations[verb]
  const name = operationName(resource, verb)
  const success = declared?.status ?? SUCCESS[verb]
  const readInput = formReader(declared?.form)
  const inQuery = METHODS[verb] === 'GET'

  const readCall = async (request: FastifyRequest, reply: FastifyReply, page: Page): Promise<Call> => {
    const path: Record<string, string> = {}
    for (const [wire, value] of Object.entries(request.params as Record<string, string>)) {
      // PostgreSQL keeps no NUL in text, so nothing has such a name.
      if (value.includes('\0')) throw notFound(request)
      path[inCode(wire)] = value
    }
    const accountSid = request.caller?.accountSid ?? path.accountSid ?? ''
    if (!request.caller && accountSid && !(await exists(accountSid))) throw notFound(request)
    const sent = (inQuery ? request.query : (request.body ?? {})) as Sent
    const token = request.caller?.token
    const call: Call = {
      accountSid,
      token,
      actor: token
        ? { kind: 'client', identity: token.identity }
        : { kind: 'api', webhooks: request.headers['x-twilio-webhook-enabled'] === 'true' },
      path,
      input: readInput(isRecord(sent) ? sent : {}),
      page,
      ifMatch: request.headers['if-match'],
      json: declared?.reads === 'json' ? request.body : undefined,
      say: (header, value) => reply.header(header, value),
    }
    return gate(store.reader, resource, verb, call, () => rehearse(store, name, bound as Changing, call))
  }

  const answerOne = (row: Row | undefined, request: FastifyRequest, reply: FastifyReply) => {
    if (row === undefined) throw notFound(request)
    reply.code(success)
    return present(row)
  }

  const changing =
    (verbBound: Bound['create'] | Bound['update']) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const call = await readCall(request, reply, NO_PAGE)
      return answerOne(await store.transact(name, (tx) => verbBound(tx, call)), request, reply)
    }

  const handlers = {
    list: (verbBound: Bound['list']) => {
      const { rows, key } =
        typeof verbBound === 'function'
          ? { rows: verbBound, key: (row: Row) => row.sid as string }
          : verbBound
      const kind: KeyKind = typeof verbBound === 'function' ? 'sid' : 'text'
      const sizes = resource.pageSize ?? { default: 50, max: 1000 }
      const arrayKey = resource.key ?? 'items'
      return async (request: FastifyRequest, reply: FastifyReply) => {
        const query = request.query as Sent
        const page = readPage(query, sizes, resource.pageKey ?? kind)
        const found = await rows(store.reader, await readCall(request, reply, page))
        const { rows: shown, meta } = paged(found, {
          page,
          address: publicUrl + pathOf(request.url),
          filters: query,
          key: arrayKey,
          keyOf: key,
          kind: resource.pageKey ?? kind,
        })
        reply.code(success)
        return { meta, [arrayKey]: shown.map(present) }
      }
    },
    fetch: (verbBound: Bound['fetch']) => async (request: FastifyRequest, reply: FastifyReply) =>
      answerOne(await verbBound(store.reader, await readCall(request, reply, NO_PAGE)), request, reply),
    create: changing,
    update: changing,
    delete: (verbBound: Bound['delete']) => async (request: FastifyRequest, reply: FastifyReply) => {
      const call = await readCall(request, reply, NO_PAGE)
      if (!(await store.transact(name, (tx) => verbBound(tx, call)))) throw notFound(request)
      return reply.code(success).send()
    },
  }
  return handlers[verb](bound as never)
}

interface Prepared {
  readonly name: string
  readonly bound: unknown
  readonly readInput: ReturnType<typeof formReader>
}

/** Operations for those inside the house who ask for a client: the same forms, gate and verbs as at the door. */
export const openPerform = (served: readonly Binding[], { store, gate }: Pick<Serving, 'store' | 'gate'>) => {
  const byResource = new Map(served.map((it) => [it.resource, it.verbs]))
  const prepared = new Map<string, Prepared>()
  const prepare = (resource: ResourceDeclaration, verb: Verb): Prepared => {
    const name = operationName(resource, verb)
    let it = prepared.get(name)
    if (!it) {
      const bound = byResource.get(resource)?.[verb]
      if (!bound) throw new Error(`${name} is not served`)
      it = { name, bound, readInput: formReader(resource.operations[verb]?.form) }
      prepared.set(name, it)
    }
    return it
  }
  const perform = async (resource: ResourceDeclaration, verb: Verb, asking: Asking<object>) => {
    const { name, bound, readInput } = prepare(resource, verb)
    const { token, path, form = {}, page = NO_PAGE, ifMatch, isDecided } = asking
    const wish: Call = {
      accountSid: token.accountSid,
      token: isDecided ? undefined : token,
      actor: { kind: 'client', identity: token.identity },
      path,
      input: readInput(form),
      page,
      ifMatch,
      json: undefined,
      say: () => {},
    }
    const call = await gate(store.reader, resource, verb, wish, () =>
      rehearse(store, name, bound as Changing, wish),
    )
    const done = await run(verb, name, bound, call)
    if (done === undefined || done === false)
      throw problem('not_found', { path: Object.values(path).join('/') })
    return done === true ? undefined : done
  }
  const run = (verb: Verb, name: string, bound: unknown, call: Call): Promise<unknown> => {
    if (verb === 'fetch') return (bound as Bound['fetch'])(store.reader, call)
    if (verb !== 'list') return store.transact(name, (tx) => (bound as Changing)(tx, call))
    const list = bound as Bound['list']
    return (typeof list === 'function' ? list : list.rows)(store.reader, call)
  }
  return perform as unknown as Perform
}

const isRecord = (it: unknown): it is Sent => typeof it === 'object' && it !== null && !Array.isArray(it)

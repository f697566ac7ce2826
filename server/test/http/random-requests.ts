/**
 * Requests by chance: any operation, with path values, parameters and bodies that are now good, now nonsense, now
 * another account's. What may never be: a fault of ours, an answer in another shape, one that takes seconds, or one
 * that shows what is another account's.
 */
import assert from 'node:assert/strict'
import type { Field } from '@parley/contract/field.ts'
import fc from 'fast-check'
import twilio from 'twilio'
import { busyMs } from '../world/busy.ts'
import { asToken, type World } from '../world/index.ts'
import { everyOperation, type Furnished, furnish, goodForms, type Served } from './furnished.ts'

const OURS = 'oursmark'
const THEIRS = 'theirsmark'

/** An answer that takes longer to work out is as good as a hang; what others take of the machine is not counted. */
const SLOW_MS = 3_000

/** So many requests may take things away before the account is furnished anew. */
const REQUESTS_A_FURNITURE = 250

interface Asked {
  readonly operation: Served
  readonly values: readonly Piece[]
  readonly parameters: readonly (readonly [name: string, value: Piece])[]
  readonly body: Piece | undefined
  readonly as: 'account' | 'client' | 'agent' | 'nobody'
  /** Keeps the parameters of a form that would succeed. */
  readonly good: boolean
}

/** A value by chance; SIDs are filled in when the request is made, since accounts are furnished anew. */
type Piece =
  | { readonly text: string }
  | { readonly ours: string }
  | { readonly theirs: string }
  | { readonly prefix: string }

const piece = (text: fc.Arbitrary<string>): fc.Arbitrary<Piece> => text.map((it) => ({ text: it }))

const NUMBERS = [
  '0',
  '1',
  '-1',
  '+7',
  '007',
  '1.5',
  '1e9',
  'NaN',
  'Infinity',
  '2147483647',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '999999999999999',
  '99999999999999999999',
]

const JSONS = [
  '',
  '{',
  '[]',
  'null',
  '0',
  '"text"',
  '{}',
  '{"a":{"b":[1,2,{"c":null}]}}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"valueOf":2}',
  '{"nul":"\\u0000"}',
  '{"half":"\\ud800"}',
  '{"identity":"\\u0000","customers":{"name":"\\u0000"}}',
  '{"a":1e400}',
  '{"conversations":null}',
  '['.repeat(600),
  `${'['.repeat(400)}${']'.repeat(400)}`,
  `{"long":"${'x'.repeat(40_000)}"}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  '{"identity":7,"task_router":"x"}',
]

const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  'true',
  'false',
  'TRUE',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  '.',
  '..',
  '../..',
  "' or 1=1 --",
  '%',
  '%00',
  '%zz',
  '😀'.repeat(40),
  'é',
  '\u202e',
  '\uffff',
  '{{7*7}}',
  '#{7*7}',
  'x'.repeat(70_000),
  '1 == 1',
  'a == "b" AND 1 IN [1,2]',
  '((((',
  'skills HAS "x"',
  `${'('.repeat(2_000)}1==1`,
  'Priority:desc,DateCreated:asc',
  'constructor:asc',
  '__proto__:desc',
  '2026-06-01T12:00:00Z',
  '0000-01-01',
  '9999-12-31T23:59:59.999+23:59',
  '2026-02-30',
  'guest',
  'agent',
  'sendMessage',
  'onMessageSent',
  'PA',
  'PAIS',
  'PB0',
  `PA${Buffer.from('[1]').toString('base64url')}`,
]

const anyText = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...TEXTS),
    fc.constantFrom(...NUMBERS),
    fc.constantFrom(...JSONS),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.json({ maxDepth: 4 }),
    fc.date({ noInvalidDate: true }).map((it) => it.toISOString()),
    fc.integer().map(String),
  )

const sidNames = [...new Set(everyOperation.flatMap((it) => it.holes))]

const anyPiece = (): fc.Arbitrary<Piece> =>
  fc.oneof(
    { weight: 4, arbitrary: piece(anyText()) },
    { weight: 1, arbitrary: fc.constantFrom(...sidNames).map((it) => ({ ours: it })) },
    { weight: 1, arbitrary: fc.constantFrom(...sidNames).map((it) => ({ theirs: it })) },
  )

/** Half the time what the field is made for, so that requests get past the reading. */
const pieceFor = ({ schema }: Field): fc.Arbitrary<Piece> => {
  const {
    enum: choices,
    pattern,
    type,
  } = (schema.items ?? schema) as {
    enum?: string[]
    pattern?: string
    type?: string
  }
  const fitting = (): fc.Arbitrary<Piece> => {
    if (choices) return piece(fc.constantFrom(...choices))
    if (pattern) return fc.constant({ prefix: pattern.slice(1, 3) })
    if (type === 'integer')
      return piece(fc.oneof(fc.integer({ min: 0, max: 5 }).map(String), fc.constantFrom(...NUMBERS)))
    if (type === 'boolean') return piece(fc.constantFrom('true', 'false'))
    return piece(
      fc.oneof(
        fc.constantFrom(...JSONS),
        fc.json({ maxDepth: 3 }),
        fc.string({ unit: 'grapheme', maxLength: 60 }),
      ),
    )
  }
  return fc.oneof({ weight: 2, arbitrary: fitting() }, { weight: 1, arbitrary: anyPiece() })
}

/** Addresses are never good ones: nobody out there is to be called. */
const isAddress = (name: string, field: Field): boolean => field.schema.format === 'uri' || /Url$/.test(name)

const STRANGE_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'Sid',
  'AccountSid',
  '',
  'friendlyname',
  'a[b]',
  'PageSize',
]

const parametersOf = ({ resource, verb }: Served): fc.Arbitrary<Asked['parameters']> => {
  const fields = Object.entries(resource.operations[verb]?.form ?? {}).filter(
    ([name, field]) => !isAddress(name, field),
  )
  const own = fields.map(([name, field]) => pieceFor(field).map((value) => [name, value] as const))
  const paging = ['PageSize', 'Page', 'PageToken'].map((name) =>
    anyPiece().map((value) => [name, value] as const),
  )
  const strange = fc.tuple(fc.constantFrom(...STRANGE_NAMES), anyPiece())
  return fc.array(fc.oneof(strange, ...own, ...own, ...own, ...(verb === 'list' ? paging : [])), {
    maxLength: 3,
  })
}

/** What is deleted leaves less to ask for, so deletions are few. */
const anyOperation: fc.Arbitrary<Served> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...everyOperation.filter((it) => it.method === 'POST')) },
  { weight: 6, arbitrary: fc.constantFrom(...everyOperation.filter((it) => it.method === 'GET')) },
  { weight: 1, arbitrary: fc.constantFrom(...everyOperation.filter((it) => it.method === 'DELETE')) },
)

const anyRequest: fc.Arbitrary<Asked> = anyOperation.chain((operation) =>
  fc.record({
    operation: fc.constant(operation),
    values: fc.tuple(
      ...operation.holes.map((hole) =>
        fc.oneof(
          { weight: 20, arbitrary: fc.constant<Piece>({ ours: hole }) },
          { weight: 1, arbitrary: fc.constant<Piece>({ theirs: hole }) },
          { weight: 1, arbitrary: anyPiece() },
        ),
      ),
    ),
    parameters: parametersOf(operation),
    body:
      operation.reads === 'json'
        ? piece(
            fc.oneof(
              fc.constantFrom(...JSONS),
              fc.json(),
              fc.constantFrom('{"products":["flex"]}', '{"token":"a.b.c"}'),
            ),
          )
        : fc.oneof(
            { weight: 12, arbitrary: fc.constant(undefined) },
            { weight: 1, arbitrary: piece(anyText()) },
          ),
    as: fc.oneof(
      { weight: 16, arbitrary: fc.constant('account' as const) },
      {
        weight: operation.openTo === 'clients' ? 8 : 1,
        arbitrary: fc.constantFrom('client' as const, 'agent' as const),
      },
      { weight: 1, arbitrary: fc.constant('nobody' as const) },
    ),
    good: fc.boolean(),
  }),
)

/** The account that asks, with its people's tokens. */
interface Asking extends Furnished {
  readonly client: string
  readonly agent: string
}

const openAsking = async (world: World): Promise<Asking> => {
  const account = await world.newAccount(OURS)
  const furnished = await furnish(world, account, OURS)
  const key = (await (
    await world.fetch(`/v1/Parley/Accounts/${account.sid}/Keys`, {
      as: furnished.as,
      form: { FriendlyName: OURS },
    })
  ).json()) as { sid: string; secret: string }
  const { AccessToken } = twilio.jwt
  const tokenOf = (identity: string, role: string) => {
    const token = new AccessToken(account.sid, key.sid, key.secret, { identity, ttl: 86_400 })
    token.addGrant(new AccessToken.ChatGrant({ serviceSid: furnished.sids.ServiceSid }))
    if (role === 'agent')
      token.addGrant(
        new AccessToken.TaskRouterGrant({
          workspaceSid: furnished.sids.WorkspaceSid,
          workerSid: furnished.sids.WorkerSid,
          role: 'worker',
        }),
      )
    return asToken(token.toJwt())
  }
  return { ...furnished, client: tokenOf(`vera ${OURS}`, 'client'), agent: tokenOf(`ana ${OURS}`, 'agent') }
}

const NOBODYS = '0123456789abcdef0123456789abcdef'

const filled = (it: Piece, ours: Furnished, theirs: Furnished): string => {
  if ('text' in it) return it.text
  if ('ours' in it) return ours.sids[it.ours as keyof Furnished['sids']]
  if ('theirs' in it) return theirs.sids[it.theirs as keyof Furnished['sids']]
  return Object.values(ours.sids).find((sid) => sid.startsWith(it.prefix)) ?? it.prefix + NOBODYS
}

/**
 * Makes so many requests by chance, and holds each answer to what may never be.
 * @returns how many were answered with each status, and which operations succeeded at least once
 */
export const askByChance = async (
  world: World,
  requests: number,
): Promise<{ statuses: ReadonlyMap<number, number>; succeeded: ReadonlySet<string> }> => {
  const theirs = await furnish(world, await world.newAccount(THEIRS), THEIRS)
  let ours = await openAsking(world)
  let asked = 0
  const statuses = new Map<number, number>()
  const succeeded = new Set<string>()
  await fc.assert(
    fc.asyncProperty(anyRequest, async (it) => {
      if (asked++ % REQUESTS_A_FURNITURE === REQUESTS_A_FURNITURE - 1) ours = await openAsking(world)
      const fill = (one: Piece) => filled(one, ours, theirs)
      const { operation } = it
      const path = operation.path(it.values.map(fill))
      const parameters = it.parameters.map(([name, value]) => [name, fill(value)])
      const good = Object.entries(
        it.good ? (goodForms(ours.sids, world.listener.url('/hook'))[operation.name] ?? {}) : {},
      )
      const form = new URLSearchParams([
        ...good.flatMap(([name, value]) => [value].flat().map((one) => [name, one] as [string, string])),
        ...(parameters as [string, string][]),
      ])
      const isQuery = operation.method === 'GET'
      const query = form.toString().slice(0, 6_000).replace(/%.?$/, '')
      const as = { account: ours.as, client: ours.client, agent: ours.agent, nobody: null }[it.as]
      const type = operation.reads === 'json' ? 'application/json' : 'application/x-www-form-urlencoded'
      const body = it.body ? fill(it.body) : form.toString()
      const before = busyMs()
      const answer = await world.fetch(isQuery ? `${path}?${query}` : path, {
        method: operation.method,
        as,
        ...(operation.method === 'POST' ? { body, headers: { 'content-type': type } } : {}),
      })
      const text = await answer.text()
      const took = busyMs() - before
      const what = `${operation.method} ${path} → ${answer.status} ${text.slice(0, 500)}`
      assert.ok(answer.status < 500, what)
      assert.ok(took < SLOW_MS, `${took} ms: ${what}`)
      assert.ok(!text.includes(THEIRS), what)
      if (answer.status === 204) assert.equal(text, '', what)
      else {
        assert.match(answer.headers.get('content-type') ?? '', /^application\/json/, what)
        const json = JSON.parse(text)
        if (!answer.ok) {
          assert.deepEqual(Object.keys(json), ['code', 'message', 'more_info', 'status'], what)
          assert.equal(json.status, answer.status, what)
          assert.ok(Number.isInteger(json.code) && json.code >= 19_000, what)
        }
      }
      if (answer.ok) succeeded.add(operation.name)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }),
    // A request that fails was made to a world that later ones have changed: shrinking would mislead.
    { numRuns: requests, endOnFailure: true },
  )
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  return { statuses, succeeded }
}

// Reads a workflow's `Configuration`: the JSON text that says, filter by filter, which queues a task goes
// through. What comes out is typed, complete (each target has its queue) and compiled, or an error that
// names the place in the JSON. Whether the queues exist is the caller's to ask, with `queuesOf`.

import {
  compileExpression,
  compileValue,
  type Expression,
  ExpressionError,
  type Value,
} from './expression/compile.ts'
import { compileOrderBy, type OrderBy } from './expression/order-by.ts'
import { remember } from './expression/remember.ts'

/** Longest text read, in characters: some thousand filters. */
export const CONFIGURATION_LENGTH_MAX = 500_000

/** Highest priority and longest timeout: the largest signed 32-bit integer. */
const INTEGER_MAX = 2 ** 31 - 1

/** All texts kept, together. */
const REMEMBERED_CHARACTERS = 2_000_000

const FOUND_LENGTH_MAX = 40

export type WorkflowConfiguration = {
  readonly filters: readonly WorkflowFilter[]
  /** Where a task goes that no filter took; `null`: nowhere. Its `expression` is never set. */
  readonly defaultFilter: WorkflowTarget | null
}

export type WorkflowFilter = {
  /** Where it stands in the JSON: `task_routing.filters[0]`. */
  readonly place: string
  readonly friendlyName: string | null
  /** Bare keys are the task's attributes. */
  readonly expression: Expression
  /** Never empty. */
  readonly targets: readonly WorkflowTarget[]
}

export type WorkflowTarget = {
  /** Where it stands in the JSON: `task_routing.filters[0].targets[1]`. */
  readonly place: string
  /** SID of the task queue: its own, or that of the target before it. */
  readonly queue: string
  /** Where that SID is written. */
  readonly queuePlace: string
  /** Which workers of the queue may take the task; `null`: all. Reads `task.…` and `worker.…`. */
  readonly expression: Expression | null
  /** Replaces the task's priority; `null` leaves it. */
  readonly priority: number | null
  /** How long the task may stay; added to those of the targets before it and held against the task's age. */
  readonly timeoutSeconds: number | null
  readonly orderBy: OrderBy | null
  /** Reads `workers.…`; asked when no reservation could be made at once. */
  readonly skipIf: Expression | null
  readonly knownWorkerSid: Value | null
  readonly knownWorkerFriendlyName: Value | null
}

/** A configuration that cannot be read. `place` is a path such as `task_routing.filters[1].targets[0].queue`. */
export class WorkflowConfigurationError extends Error {
  override readonly name = 'WorkflowConfigurationError'
  /** Empty when the text as a whole is not a JSON object. */
  readonly place: string
  readonly reason: string

  constructor(place: string, reason: string) {
    super(place === '' ? reason : `${place}: ${reason}`)
    this.place = place
    this.reason = reason
  }
}

/**
 * Reads a configuration. Keys it does not know are ignored; a key that is `null` or `''` counts as absent.
 * The same text gives the same object.
 * @throws WorkflowConfigurationError
 */
export const parseWorkflowConfiguration: (text: string) => WorkflowConfiguration = remember(
  (text) => {
    const { task_routing } = readObject(parseJson(text), '')
    const place = 'task_routing'
    const routing = readObject(task_routing, place)
    const filters = readArray(routing.filters, `${place}.filters`).map((filter, index) =>
      readFilter(filter, `${place}.filters[${index}]`),
    )
    const defaultFilter = isAbsent(routing.default_filter)
      ? null
      : readDefaultFilter(routing.default_filter, `${place}.default_filter`)
    if (defaultFilter === null && filters.length === 0) {
      throw new WorkflowConfigurationError(place, 'expected a filter or a default_filter')
    }
    return { filters, defaultFilter }
  },
  { characters: REMEMBERED_CHARACTERS },
)

/** Every task queue the configuration names, with the place of each naming. */
export function queuesOf(
  configuration: WorkflowConfiguration,
): readonly { readonly queue: string; readonly place: string }[] {
  const targets = configuration.filters.flatMap((filter) => filter.targets)
  if (configuration.defaultFilter) targets.push(configuration.defaultFilter)
  const queues = new Map(targets.map(({ queue, queuePlace }) => [queuePlace, queue]))
  return Array.from(queues, ([place, queue]) => ({ queue, place }))
}

type Json = Readonly<Record<string, unknown>>

function readFilter(value: unknown, place: string): WorkflowFilter {
  const filter = readObject(value, place)
  const expression = readOptional(filter, place, 'expression', compileExpression)
  if (expression === null) throw wrong(`${place}.expression`, 'an expression', filter.expression)
  return {
    place,
    friendlyName: readText(filter, place, 'filter_friendly_name') ?? readText(filter, place, 'friendly_name'),
    expression,
    targets: readTargets(filter, place),
  }
}

/** A filter without `targets` is of the old form: it is its own only target, and its expression the filter's. */
function readTargets(filter: Json, place: string): readonly WorkflowTarget[] {
  if (isAbsent(filter.targets)) {
    if (readQueue(filter, place) === null)
      throw wrong(`${place}.targets`, 'a list of targets', filter.targets)
    return [readTarget({ ...filter, expression: null }, place, null)]
  }
  const targets: WorkflowTarget[] = []
  let before = readQueue(filter, place)
  for (const [index, value] of readArray(filter.targets, `${place}.targets`).entries()) {
    const at = `${place}.targets[${index}]`
    const target = readTarget(readObject(value, at), at, before)
    targets.push(target)
    before = target
  }
  if (targets.length === 0)
    throw new WorkflowConfigurationError(`${place}.targets`, 'expected at least one target, found none')
  return targets
}

function readDefaultFilter(value: unknown, place: string): WorkflowTarget {
  return readTarget({ ...readObject(value, place), expression: null }, place, null)
}

type Queue = Pick<WorkflowTarget, 'queue' | 'queuePlace'>

function readTarget(target: Json, place: string, before: Queue | null): WorkflowTarget {
  const written = readQueue(target, place) ?? before
  if (written === null) throw wrong(`${place}.queue`, 'the SID of a task queue', target.queue)
  return {
    place,
    queue: written.queue,
    queuePlace: written.queuePlace,
    expression: readOptional(target, place, 'expression', compileExpression),
    priority: readInteger(target, place, 'priority'),
    timeoutSeconds: readInteger(target, place, 'timeout'),
    orderBy: readOptional(target, place, 'order_by', compileOrderBy),
    skipIf: readOptional(target, place, 'skip_if', compileExpression),
    knownWorkerSid: readOptional(target, place, 'known_worker_sid', compileWorkerSid),
    knownWorkerFriendlyName: readOptional(target, place, 'known_worker_friendly_name', compileValue),
  }
}

function readQueue(from: Json, place: string): Queue | null {
  const queue = readText(from, place, 'queue')
  return queue === null ? null : { queue, queuePlace: `${place}.queue` }
}

/** A bare worker's SID stands for itself; as a key it could only ever be NULL. */
function compileWorkerSid(text: string): Value {
  return compileValue(/^WK[0-9a-fA-F]{32}$/.test(text) ? `'${text}'` : text)
}

function readOptional<Compiled>(
  from: Json,
  place: string,
  key: string,
  compile: (text: string) => Compiled,
): Compiled | null {
  const text = readText(from, place, key)
  if (text === null) return null
  try {
    return compile(text)
  } catch (error) {
    if (error instanceof ExpressionError)
      throw new WorkflowConfigurationError(`${place}.${key}`, error.message)
    throw error
  }
}

function readText(from: Json, place: string, key: string): string | null {
  const value = from[key]
  if (isAbsent(value)) return null
  if (typeof value !== 'string') throw wrong(`${place}.${key}`, 'a string', value)
  return value.trim() === '' ? null : value
}

/** Whole numbers arrive as numbers or, from consoles and older clients, as strings of digits. */
function readInteger(from: Json, place: string, key: string): number | null {
  const value = from[key]
  if (isAbsent(value) || value === '') return null
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= INTEGER_MAX)
    return number
  throw wrong(`${place}.${key}`, `a whole number from 0 to ${INTEGER_MAX}`, value)
}

function readArray(value: unknown, place: string): readonly unknown[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) throw wrong(place, 'a list', value)
  return value
}

function readObject(value: unknown, place: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw wrong(place, 'an object', value)
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function parseJson(text: string): unknown {
  if (text.length > CONFIGURATION_LENGTH_MAX) {
    const reason = `expected at most ${CONFIGURATION_LENGTH_MAX} characters, found ${text.length}`
    throw new WorkflowConfigurationError('', reason)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new WorkflowConfigurationError('', `expected JSON: ${error.message}`)
    throw error
  }
}

function wrong(place: string, expected: string, found: unknown): WorkflowConfigurationError {
  return new WorkflowConfigurationError(place, `expected ${expected}, found ${show(found)}`)
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > FOUND_LENGTH_MAX ? `${text.slice(0, FOUND_LENGTH_MAX)}…` : text
}

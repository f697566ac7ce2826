/**
 * What the place where a task waits asks of a worker. It is kept on the task as JSON, resolved (a known worker by
 * SID), so that routing needs no workflow and a changed workflow touches no task that has not been sent through it.
 */
import { createHash } from 'node:crypto'
import { type Condition, parseExpression } from '../expression/parse.ts'
import { remember } from '../expression/remember.ts'
import { walk } from '../expression/scope.ts'

export interface Target {
  /** Of the workers in the queue, those for whom this holds. */
  readonly expression?: string
  readonly orderBy?: string
  /** Asked when nobody can take the task at once. */
  readonly skipIf?: string
  /** Only this worker. */
  readonly workerSid?: string
  /** … whatever they are doing and have in hand. */
  readonly ignoreCapacity?: true
}

export const readTarget = (json: string): Target => JSON.parse(json)

/**
 * The name of a lane: tasks with the same one can be taken by the same workers. Beside queue, task channel and
 * target it holds the values of the task's attributes that the target's expression reads, as a digest.
 * @param attributes the task's, as JSON
 */
export const laneOf = (
  queueSid: string | null,
  taskChannelSid: string,
  target: Target,
  attributes: string,
): string => {
  const lane = `${queueSid ?? ''}:${taskChannelSid}`
  const asks = JSON.stringify(target)
  if (asks === '{}') return lane
  const keys = target.expression === undefined ? [] : taskKeysOf(target.expression)
  const values = keys.length ? valuesOf(keys, JSON.parse(attributes)) : []
  const digest = createHash('sha1').update(asks).update(JSON.stringify(values)).digest('hex').slice(0, 20)
  return `${lane}:${digest}`
}

type Path = readonly (string | number)[]

const valuesOf = (keys: readonly Path[], attributes: unknown): unknown[] =>
  keys.map((it) => walk(it)(attributes))

/** The attributes of the task that an expression reads, without the `task.` in front. */
const taskKeysOf = remember(
  (text) => {
    const keys = new Map<string, Path>()
    for (const path of pathsOf(parseExpression(text)))
      if (path[0] === 'task' && path.length > 1) keys.set(JSON.stringify(path), path.slice(1))
    return [...keys.values()]
  },
  { characters: 250_000 },
)

function* pathsOf(condition: Condition): Generator<Path> {
  switch (condition.kind) {
    case 'comparison':
      for (const side of [condition.left, condition.right]) if (side.kind === 'key') yield side.path
      return
    case 'not':
      yield* pathsOf(condition.condition)
      return
    default:
      for (const part of condition.conditions) yield* pathsOf(part)
  }
}

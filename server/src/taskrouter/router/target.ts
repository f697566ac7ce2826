/**
 * What the place where a task waits asks of a worker. It is kept on the task as JSON, resolved (a known worker by
 * SID), so that routing needs no workflow and a changed workflow touches no task that has not been sent through it.
 */
import { createHash } from 'node:crypto'
import { type Condition, type Key, parseExpression } from '../expression/parse.ts'
import { remember } from '../expression/remember.ts'
import { isRecord } from '../is-record.ts'

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
  /** … whatever the queue asks of its workers: the task is in it for the record. */
  readonly ignoreQueue?: true
}

/** A task that is sent straight to somebody waits for them alone. */
export const targetOfWorker = (
  workerSid: string,
  { ignoresCapacity }: { ignoresCapacity: boolean },
): Target => ({
  workerSid,
  ignoreQueue: true,
  ...(ignoresCapacity && { ignoreCapacity: true }),
})

export const readTarget = (json: string): Target => JSON.parse(json)

/**
 * The name of a lane: tasks with the same one can be taken by the same workers. Beside queue, task channel and
 * target it holds a digest of the task's attributes that the target's expressions read.
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
  const read = JSON.stringify(attributesRead(target, attributes))
  return `${lane}:${createHash('sha1').update(asks).update(read).digest('hex').slice(0, 20)}`
}

/**
 * The attributes of a task that a target's expressions read, whole from the first key on; the others decide nothing.
 * @param attributes the task's, as JSON
 */
export const attributesRead = (
  { expression, skipIf }: Target,
  attributes: string,
): Readonly<Record<string, unknown>> => {
  const names = new Set([
    ...(expression === undefined ? [] : namesIn(expression).ofTask),
    ...(skipIf === undefined ? [] : [...namesIn(skipIf).ofTask, ...namesIn(skipIf).bare]),
  ])
  if (!names.size) return {}
  const all: unknown = JSON.parse(attributes)
  const found = [...names].sort().filter((it) => isRecord(all) && Object.hasOwn(all, it))
  return Object.fromEntries(found.map((it) => [it, (all as Record<string, unknown>)[it]]))
}

interface Names {
  /** After `task.`. */
  readonly ofTask: readonly string[]
  /** The task's in `skip_if`, the worker's in a target's expression. */
  readonly bare: readonly string[]
}

const namesIn = remember(
  (text): Names => {
    const paths = [...pathsOf(parseExpression(text))].map((path) => path.map(String))
    const ofTask = paths.filter(([head, name]) => head === 'task' && name !== undefined)
    return {
      ofTask: ofTask.map(([, name]) => name as string),
      bare: paths.map(([head]) => head as string),
    }
  },
  { characters: 250_000 },
)

function* pathsOf(condition: Condition): Generator<Key['path']> {
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

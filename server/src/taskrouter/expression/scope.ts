// What the keys of an expression are read from. A key that leads nowhere reads as NULL (here `null`).
// Only own properties of plain objects and elements of arrays are read: nothing inherited, no
// `length`, so no key can reach what the caller did not put in.

type Attributes = Readonly<Record<string, unknown>>

/** The facts an expression is evaluated against; values are what `JSON.parse` can give. */
export type Scope = {
  /** What bare keys read: a worker's attributes for `TargetWorkers`, a task's for a workflow filter. */
  readonly attributes: Attributes
  /** What `task.…` reads; without it `task` is an attribute like any other. */
  readonly task?: Attributes | undefined
  /** What `worker.…` reads: attributes, and fields such as `sid`, `friendly_name`, `activity_name`, `channel`. */
  readonly worker?: Attributes | undefined
  /** What `workers.…` reads in `skip_if`: `available`, `unavailable` and a count for each activity's SID. */
  readonly workers?: Readonly<Record<string, number>> | undefined
  /** The instant that `taskrouter.…` tells the time of, in milliseconds since 1970. */
  readonly now: number
}

export type Read = (scope: Scope) => unknown

type Path = readonly (string | number)[]

const MINUTE_MS = 60_000
const MINUTES_A_DAY = 1440
const DAY_MS = MINUTES_A_DAY * MINUTE_MS
/** 1 January 1970 was a Thursday. */
const DAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'] as const

/** Compiles a key's path to a function that reads it, `null` when it is missing. */
export function readKey(path: Path): Read {
  const fromAttributes = walk(path)
  const bare: Read = (scope) => fromAttributes(scope.attributes)
  const [head, second] = path
  if (typeof second !== 'string') return bare
  const inside = walk(path.slice(1))
  switch (head) {
    case 'task':
      return (scope) => (scope.task === undefined ? bare(scope) : inside(scope.task))
    case 'worker':
      return (scope) => (scope.worker === undefined ? bare(scope) : inside(scope.worker))
    case 'workers':
      return (scope) => (scope.workers === undefined ? bare(scope) : inside(scope.workers))
    case 'taskrouter':
      return (path.length === 2 && readTime(second)) || bare
    default:
      return bare
  }
}

/** Compiles a path to a walk from a given object. */
export function walk(path: Path): (from: unknown) => unknown {
  const [first, second] = path
  if (first === undefined) return (from) => from ?? null
  if (second === undefined) return (from) => step(from, first)
  if (path.length === 2) return (from) => step(step(from, first), second)
  return (from) => {
    let value = from
    for (const part of path) {
      value = step(value, part)
      if (value === null) return null
    }
    return value
  }
}

function step(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) return typeof part === 'number' ? (value[part] ?? null) : null
  if (typeof part === 'number' || !Object.hasOwn(value, part)) return null
  return (value as Attributes)[part] ?? null
}

/** The time keys, all UTC: HHMM, hour and minute as numbers, the day as `Mon` to `Sun`. */
function readTime(key: string): Read | undefined {
  switch (key) {
    case 'currentTime':
      return ({ now }) => {
        const minute = minuteOfDay(now)
        return Math.floor(minute / 60) * 100 + (minute % 60)
      }
    case 'currentHour':
      return ({ now }) => Math.floor(minuteOfDay(now) / 60)
    case 'currentMin':
      return ({ now }) => minuteOfDay(now) % 60
    case 'dayOfWeek':
      return ({ now }) => DAYS[modulo(Math.floor(now / DAY_MS), 7)] ?? null
    default:
      return undefined
  }
}

function minuteOfDay(now: number): number {
  return modulo(Math.floor(now / MINUTE_MS), MINUTES_A_DAY)
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}

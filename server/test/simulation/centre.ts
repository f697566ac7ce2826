/** A centre by chance: what its queues, workflows, workers and tasks are, in our own terms beside their wire form. */
import type { Chance } from './chance.ts'
import {
  type Clause,
  filterExpression,
  queueExpression,
  SKILLS,
  TEAMS,
  TOPICS,
  targetExpression,
} from './expressions.ts'

export const CHANNELS = ['chat', 'sms'] as const

export interface Queue {
  readonly sid: string
  clause: Clause
  readonly maxReserved: number
  readonly order: 'FIFO' | 'LIFO'
}

/** `workers.available < n` over the queue's workers. */
export interface SkipIf {
  readonly text: string
  readonly fewerThan: number
}

export interface Target {
  readonly queue: Queue
  readonly clause: Clause | undefined
  readonly timeout: number | undefined
  readonly priority: number | undefined
  readonly skipIf: SkipIf | undefined
  /** The task's attribute `agent` is the friendly name of the one worker. */
  readonly known: boolean
  readonly orderBy: string | undefined
}

export interface Filter {
  readonly clause: Clause
  readonly targets: readonly Target[]
}

export interface Routing {
  readonly filters: readonly Filter[]
  readonly fallback: Target | undefined
}

export interface Workflow {
  readonly sid: string
  routing: Routing
}

export const someAttributes = {
  worker: (chance: Chance): string =>
    JSON.stringify({
      skills: SKILLS.filter(() => chance.percent(45)),
      ...(chance.percent(85) && { level: chance.int(0, 5) }),
      ...(chance.percent(75) && { team: chance.pick(TEAMS) }),
    }),
  task: (chance: Chance, names: readonly string[]): string =>
    JSON.stringify({
      topic: chance.pick(TOPICS),
      ...(chance.percent(80) && { skill: chance.pick(SKILLS) }),
      ...(chance.percent(70) && { level: chance.int(0, 5) }),
      ...(chance.percent(20) && { vip: true }),
      ...(chance.percent(40) && { agent: chance.percent(90) ? chance.pick(names) : 'nobody of this name' }),
    }),
}

export const someQueue = (chance: Chance): Omit<Queue, 'sid'> => ({
  clause: queueExpression(chance),
  maxReserved: chance.percent(70) ? 1 : chance.int(2, 3),
  order: chance.percent(75) ? 'FIFO' : 'LIFO',
})

const someTarget = (chance: Chance, queues: readonly Queue[], last: boolean): Target => {
  const fewerThan = chance.int(1, 2)
  return {
    queue: chance.pick(queues),
    clause: chance.percent(55) ? targetExpression(chance) : undefined,
    timeout: last ? (chance.percent(30) ? chance.int(60, 600) : undefined) : chance.int(5, 120),
    priority: chance.percent(40) ? chance.int(0, 5) : undefined,
    skipIf: !last && chance.percent(30) ? { text: `workers.available < ${fewerThan}`, fewerThan } : undefined,
    known: chance.percent(12),
    orderBy: chance.percent(15) ? 'worker.level DESC' : undefined,
  }
}

export const someRouting = (chance: Chance, queues: readonly Queue[]): Routing => ({
  filters: Array.from({ length: chance.int(1, 3) }, () => {
    const length = chance.int(1, 3)
    return {
      clause: filterExpression(chance),
      targets: Array.from({ length }, (_, at) => someTarget(chance, queues, at === length - 1)),
    }
  }),
  fallback: chance.percent(85)
    ? {
        queue: chance.pick(queues),
        ...{ clause: undefined, timeout: undefined, priority: undefined },
        ...{ skipIf: undefined, known: false, orderBy: undefined },
      }
    : undefined,
})

const onTheWire = (it: Target) => ({
  queue: it.queue.sid,
  ...(it.clause && { expression: it.clause.text }),
  ...(it.timeout !== undefined && { timeout: it.timeout }),
  ...(it.priority !== undefined && { priority: it.priority }),
  ...(it.skipIf && { skip_if: it.skipIf.text }),
  ...(it.known && { known_worker_friendly_name: 'task.agent' }),
  ...(it.orderBy && { order_by: it.orderBy }),
})

/** A workflow's `Configuration`. */
export const configurationOf = ({ filters, fallback }: Routing): string =>
  JSON.stringify({
    task_routing: {
      filters: filters.map(({ clause, targets }) => ({
        expression: clause.text,
        targets: targets.map(onTheWire),
      })),
      ...(fallback && { default_filter: onTheWire(fallback) }),
    },
  })

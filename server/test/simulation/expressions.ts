/**
 * Expressions by chance, each with a plain function that says the same: the second evaluator, which knows nothing of
 * the first. A text and its function are made together, so there is no parser to be wrong here.
 */
import type { Chance } from './chance.ts'

type Json = Readonly<Record<string, unknown>>

/** All that an expression may read. */
export interface Facts {
  readonly worker: Json
  readonly task: Json
  /** Assigned to the worker, by the task channel's unique name. */
  readonly assigned: Readonly<Record<string, number>>
  readonly activityName: string | null
  readonly now: number
}

export interface Clause {
  readonly text: string
  readonly holds: (facts: Facts) => boolean
}

export const SKILLS = ['s0', 's1', 's2', 's3'] as const
export const TEAMS = ['red', 'blue'] as const
export const TOPICS = ['sale', 'help', 'bill'] as const

const listed = (it: unknown): readonly unknown[] => (Array.isArray(it) ? it : [])
const isNumber = (it: unknown): it is number => typeof it === 'number'

/** What a queue may ask of a worker; bare keys are the worker's. */
const ofQueue = (chance: Chance): Clause => {
  const skill = chance.pick(SKILLS)
  const level = chance.int(0, 4)
  const team = chance.pick(TEAMS)
  return chance.pick<Clause>([
    { text: `skills HAS '${skill}'`, holds: ({ worker }) => listed(worker.skills).includes(skill) },
    { text: `level >= ${level}`, holds: ({ worker }) => isNumber(worker.level) && worker.level >= level },
    { text: `level IN [1, ${level}]`, holds: ({ worker }) => worker.level === 1 || worker.level === level },
    { text: `team == '${team}'`, holds: ({ worker }) => worker.team === team },
    {
      text: `team != "${team}"`,
      holds: ({ worker }) => typeof worker.team === 'string' && worker.team !== team,
    },
    { text: 'team == null', holds: ({ worker }) => worker.team === undefined },
    { text: '1 == 1', holds: () => true },
  ])
}

/** What a filter may ask of a task; bare keys are the task's. */
const ofFilter = (chance: Chance): Clause => {
  const topic = chance.pick(TOPICS)
  const level = chance.int(0, 4)
  return chance.pick<Clause>([
    { text: `topic == '${topic}'`, holds: ({ task }) => task.topic === topic },
    {
      text: `topic NOT IN ['${topic}']`,
      holds: ({ task }) => typeof task.topic === 'string' && task.topic !== topic,
    },
    { text: 'vip == true', holds: ({ task }) => task.vip === true },
    { text: `level > ${level}`, holds: ({ task }) => isNumber(task.level) && task.level > level },
    { text: '1 == 1', holds: () => true },
  ])
}

/** What a target may ask of a task and a worker together. */
const ofTarget = (chance: Chance): Clause => {
  const skill = chance.pick(SKILLS)
  const half = chance.int(10, 50)
  return chance.pick<Clause>([
    {
      text: 'worker.skills HAS task.skill',
      holds: ({ worker, task }) =>
        typeof task.skill === 'string' && listed(worker.skills).includes(task.skill),
    },
    {
      text: 'worker.level >= task.level',
      holds: ({ worker, task }) =>
        isNumber(worker.level) && isNumber(task.level) && worker.level >= task.level,
    },
    { text: `worker.skills HAS '${skill}'`, holds: ({ worker }) => listed(worker.skills).includes(skill) },
    { text: 'worker.channel.chat.assigned_tasks < 1', holds: ({ assigned }) => (assigned.chat ?? 0) < 1 },
    { text: `worker.activity_name == 'Ready'`, holds: ({ activityName }) => activityName === 'Ready' },
    {
      text: `taskrouter.currentMin < ${half}`,
      holds: ({ now }) => new Date(now).getUTCMinutes() < half,
    },
    { text: 'task.vip == true', holds: ({ task }) => task.vip === true },
  ])
}

const joined = (chance: Chance, clause: (chance: Chance) => Clause): Clause => {
  const first = clause(chance)
  if (chance.percent(55)) return first
  const second = clause(chance)
  if (chance.percent(25)) return { text: `NOT (${first.text})`, holds: (it) => !first.holds(it) }
  return chance.percent(50)
    ? { text: `${first.text} AND ${second.text}`, holds: (it) => first.holds(it) && second.holds(it) }
    : { text: `(${first.text}) OR (${second.text})`, holds: (it) => first.holds(it) || second.holds(it) }
}

export const queueExpression = (chance: Chance): Clause => joined(chance, ofQueue)
export const filterExpression = (chance: Chance): Clause => joined(chance, ofFilter)
export const targetExpression = (chance: Chance): Clause => joined(chance, ofTarget)

/**
 * A contact centre of any size: 50 queues, and a workflow of 20 filters whose targets lead through them. What decides
 * is made over REST; workers and tasks are then copied as often as is wanted.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { copier, type Sample, sid } from './copies.ts'
import { ask, openParley } from './programs.ts'

const QUEUES = 50
const FILTERS = 20
const LANGUAGES = ['en', 'de'] as const

/** A worker has the skills of so many queues: each task can be taken by one worker in ten. */
const SKILLS_EACH = 5
const SKILL_SETS = QUEUES / SKILLS_EACH

/** What was created over REST before the copies began is older than they are. */
const HOUR_MS = 3_600_000

export interface CentreWanted {
  readonly workers: number
  /** How many tasks each can have at once. */
  readonly capacity: number
  /** Whether the workers are there when it opens. */
  readonly available: boolean
  /** How many tasks wait. */
  readonly tasks: number
}

export interface Centre {
  readonly workspaceSid: string
  readonly workflowSid: string
  readonly readySid: string
  readonly workerSids: readonly string[]
}

/** A task that is taken by the nth filter, and waits at its first, second or third target. */
export const attributesOf = (at: number): string => {
  const place = at % QUEUES
  return JSON.stringify({
    topic: `topic ${place % FILTERS}`,
    tier: Math.floor(place / FILTERS) + 1,
    language: LANGUAGES[Math.floor(at / QUEUES) % LANGUAGES.length],
  })
}

const skillsOf = (at: number): string[] =>
  Array.from({ length: SKILLS_EACH }, (_, skill) => `skill ${(at % SKILL_SETS) * SKILLS_EACH + skill}`)

/** Makes the centre in a folder that no Parley uses. */
export const makeCentre = async (folder: string, wanted: CentreWanted): Promise<Centre> => {
  const made = await furnish(folder)
  const db = new DatabaseSync(join(folder, 'parley.db'))
  db.exec('begin')
  const workerSids = copyWorkers(db, made.readySid, wanted)
  copyTasks(db, wanted.tasks)
  db.exec('commit')
  db.exec('pragma wal_checkpoint(truncate)')
  db.close()
  return { ...made, workerSids }
}

/** Nobody is there yet, so one task waits at each place there is. */
const furnish = async (folder: string): Promise<Omit<Centre, 'workerSids'>> => {
  await using parley = await openParley(folder)
  const make = async (path: string, form: Record<string, string>): Promise<string> =>
    String((await ask(parley.url, 'POST', `/v1/Workspaces${path}`, form)).sid)
  const workspaceSid = await make('', { FriendlyName: 'Bench', MultiTaskEnabled: 'true' })
  const readySid = await make(`/${workspaceSid}/Activities`, { FriendlyName: 'Ready', Available: 'true' })
  const queues: string[] = []
  for (let at = 0; at < QUEUES; at += 1)
    queues.push(
      await make(`/${workspaceSid}/TaskQueues`, {
        FriendlyName: `queue ${at}`,
        TargetWorkers: `skills HAS 'skill ${at}'`,
      }),
    )
  const filters = Array.from({ length: FILTERS }, (_, filter) => {
    const places = queues.filter((_, at) => at % FILTERS === filter)
    return {
      filter_friendly_name: `filter ${filter}`,
      expression: `topic == 'topic ${filter}'`,
      targets: places.map((queue, tier) => ({
        queue,
        expression: 'worker.languages HAS task.language',
        ...(tier < places.length - 1 && { skip_if: `task.tier > ${tier + 1}` }),
      })),
    }
  })
  const workflowSid = await make(`/${workspaceSid}/Workflows`, {
    FriendlyName: 'By topic',
    Configuration: JSON.stringify({ task_routing: { filters } }),
  })
  await make(`/${workspaceSid}/Workers`, { FriendlyName: 'sample', Attributes: '{}' })
  for (let at = 0; at < QUEUES * LANGUAGES.length; at += 1)
    await make(`/${workspaceSid}/Tasks`, { WorkflowSid: workflowSid, Attributes: attributesOf(at) })
  await atTheirPlaces(folder)
  return { workspaceSid, workflowSid, readySid }
}

/** Until the router has let each task pass by the targets that are not for it. */
const atTheirPlaces = async (folder: string): Promise<void> => {
  const db = new DatabaseSync(join(folder, 'parley.db'), { readOnly: true })
  const places = db.prepare('select count(distinct task_queue_sid) as count from tasks')
  while (Number((places.get() as { count: number }).count) < QUEUES)
    await new Promise((resolve) => setTimeout(resolve, 20))
  db.close()
}

const copyWorkers = (db: DatabaseSync, readySid: string, wanted: CentreWanted): string[] => {
  const worker = db.prepare('select * from workers').get() as Sample
  const channels = db.prepare('select * from worker_channels').all() as Sample[]
  const ready = wanted.available && { activity_sid: readySid, activity_name: 'Ready', available: 1 }
  const addWorker = copier(db, 'workers', worker)
  const addChannels = channels.map((it) => copier(db, 'worker_channels', it))
  const sids: string[] = []
  for (let at = 0; at < wanted.workers; at += 1) {
    const worker_sid = sid('WK', at)
    sids.push(worker_sid)
    const attributes = JSON.stringify({ skills: skillsOf(at), languages: LANGUAGES })
    const idle_since = Number(worker.idle_since) + at
    addWorker({ sid: worker_sid, friendly_name: `agent ${at}`, attributes, idle_since, ...ready })
    for (const [channel, add] of addChannels.entries())
      add({
        ...{ sid: sid('WC', at * channels.length + channel), worker_sid, idle_since },
        ...{ configured_capacity: wanted.capacity, open: Number(wanted.available) },
      })
  }
  db.prepare('delete from worker_channels where worker_sid = ?').run(worker.sid ?? '')
  db.prepare('delete from workers where sid = ?').run(worker.sid ?? '')
  return sids
}

const copyTasks = (db: DatabaseSync, count: number): void => {
  const samples = db.prepare('select * from tasks').all() as Sample[]
  const timeout = db.prepare(`select * from jobs where kind = 'taskrouter.task-timeout'`).get() as Sample
  const adders = samples.map((it) => copier(db, 'tasks', it))
  const addTimeout = copier(db, 'jobs', timeout)
  db.exec(`delete from tasks; delete from jobs where kind like 'taskrouter.task-%'`)
  for (let at = 0; at < count; at += 1) {
    const sample = samples[at % samples.length] as Sample
    const start = Number(sample.date_created) - HOUR_MS + at
    const task = sid('WT', at)
    adders[at % samples.length]?.({ sid: task, virtual_start_time: start, turn: start })
    addTimeout({ sid: sid('JB', at), key: task })
  }
}

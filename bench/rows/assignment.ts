/**
 * How fast waiting tasks are offered to free workers, and whether the length of the queue matters. A centre opens with
 * its tasks waiting and its workers free; one of them saying something wakes the router, and the reservations are
 * counted as they appear.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeCentre } from '../centre.ts'
import { ask, newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'

const WORKERS = 1_000
const TASKS_FEW = 1_000
const TASKS_MANY = 10_000
const PER_SECOND_MIN = 1_000
const TIMES = 3
/** The cost of one reservation with many waiting may be this much of the cost with few. */
const FLAT_MAX = 1.5

const PATIENCE_MS = 60_000

/** Counts the reservations in a folder. */
export const openCount = (folder: string) => {
  const db = new DatabaseSync(join(folder, 'parley.db'), { readOnly: true })
  const reservations = db.prepare('select count(*) as count from reservations')
  const count = (): number => Number((reservations.get() as { count: number }).count)
  return {
    count,
    /** @throws where there are not so many in time */
    reaches: async (wanted: number): Promise<void> => {
      const until = performance.now() + PATIENCE_MS
      while (count() < wanted) {
        if (performance.now() > until) throw new Error(`there are ${count()} reservations, not ${wanted}`)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    },
    [Symbol.dispose]: () => db.close(),
  }
}

const NS_PER_MS = 1e6

/** For how long the processor has worked for the main thread of a process, in milliseconds. */
export const busyMs = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / NS_PER_MS

interface Rate {
  readonly perSecond: number
  /** Of the processor, for each reservation. */
  readonly busyMs: number
}

/** The median of some, since the disk decides how long a commit takes. */
const measure = async (tasks: number): Promise<Rate> => {
  const rates: Rate[] = []
  for (let at = 0; at < TIMES; at += 1) rates.push(await measureOnce(tasks))
  return rates.sort((a, b) => a.perSecond - b.perSecond)[Math.floor(TIMES / 2)] as Rate
}

const measureOnce = async (tasks: number): Promise<Rate> => {
  await using folder = await newFolder()
  const wanted = { workers: WORKERS, capacity: 1, available: true, tasks }
  const { workspaceSid, workerSids } = await makeCentre(folder.path, wanted)
  await using parley = await openParley(folder.path)
  using reservations = openCount(folder.path)
  if (reservations.count() !== 0) throw new Error('somebody was offered a task too early')
  const [began, busy] = [performance.now(), busyMs(parley.pid)]
  await ask(parley.url, 'POST', `/v1/Workspaces/${workspaceSid}/Workers/${workerSids[0]}`, {
    FriendlyName: 'agent who is ready',
  })
  await reservations.reaches(WORKERS)
  return {
    perSecond: (WORKERS * 1000) / (performance.now() - began),
    busyMs: (busyMs(parley.pid) - busy) / WORKERS,
  }
}

export const assignmentRow = async (): Promise<Row> => {
  const few = await measure(TASKS_FEW)
  const many = await measure(TASKS_MANY)
  const said = (it: Rate): string =>
    `${Math.round(it.perSecond)} reservations/s, ${it.busyMs.toFixed(2)} ms of the processor each`
  return {
    what: `assignment, ${TASKS_MANY} tasks waiting, ${WORKERS} workers, 50 queues, 20 filters`,
    ours: `${said(many)} (${said(few)} with ${TASKS_FEW} waiting)`,
    ceiling: '',
    ratio: many.perSecond / PER_SECOND_MIN,
    budget: `≥ ${PER_SECOND_MIN} a second, cost flat in the queue's length`,
    holds: many.perSecond >= PER_SECOND_MIN && many.busyMs / few.busyMs <= FLAT_MAX,
    numbers: { few, many },
  }
}

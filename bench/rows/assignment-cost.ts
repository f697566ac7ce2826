/**
 * What one assignment costs, from 100 to 100,000 waiting tasks and from 10 to 10,000 workers: the processor time of
 * Parley's main thread from the request that makes it possible to the reservation, which the load of the machine does
 * not change as it does a clock. Drawn to `docs/images/assignment-cost.svg`.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { attributesOf, type CentreWanted, makeCentre } from '../centre.ts'
import { plot } from '../plot.ts'
import { ask, newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'
import { busyMs, openCount } from './assignment.ts'

const WAITING = [100, 1_000, 10_000, 100_000]
const WORKERS = [10, 100, 1_000, 10_000]

/** Of what is not being varied. */
const WORKERS_USUAL = 1_000
const ASSIGNMENTS = 100
/** Assignments before it counts: what is compiled and cached once. */
const WARM_UP = 50

/** Ten times as many of both, thrice over, may cost this much more. */
const FLAT_MAX = 2

interface Cost {
  /** Of the processor, for each. */
  readonly busyMs: number
  /** By the clock, the median. */
  readonly tookMs: number
}

/** @param next makes the nth assignment possible: the path and the form of a request */
const measure = async (
  wanted: CentreWanted,
  next: (centre: Awaited<ReturnType<typeof makeCentre>>, at: number) => [string, Record<string, string>],
): Promise<Cost> => {
  await using folder = await newFolder()
  const centre = await makeCentre(folder.path, wanted)
  await using parley = await openParley(folder.path)
  using reservations = openCount(folder.path)
  const took: number[] = []
  let before = 0
  for (let at = 0; at < WARM_UP + ASSIGNMENTS; at += 1) {
    if (at === WARM_UP) before = busyMs(parley.pid)
    const began = performance.now()
    const [path, form] = next(centre, at)
    await ask(parley.url, 'POST', `/v1/Workspaces/${centre.workspaceSid}${path}`, form)
    await reservations.reaches(at + 1)
    if (at >= WARM_UP) took.push(performance.now() - began)
  }
  const busy = (busyMs(parley.pid) - before) / ASSIGNMENTS
  return { busyMs: busy, tookMs: took.sort((a, b) => a - b)[ASSIGNMENTS / 2] ?? 0 }
}

/** So many wait, and one worker after the other comes. */
const withWaiting = (tasks: number): Promise<Cost> =>
  measure(
    // Each that is taken is one less, which shows where there are few.
    { workers: WORKERS_USUAL, capacity: 1, available: false, tasks: tasks + WARM_UP },
    ({ workerSids, readySid }, at) => [`/Workers/${workerSids[at]}`, { ActivitySid: readySid }],
  )

/** So many are free, and one task after the other comes. */
const withWorkers = (workers: number): Promise<Cost> =>
  measure({ workers, capacity: 1_000, available: true, tasks: 0 }, ({ workflowSid }, at) => [
    '/Tasks',
    { WorkflowSid: workflowSid, Attributes: attributesOf(at) },
  ])

export const assignmentCostRow = async (): Promise<Row> => {
  const waiting: [number, Cost][] = []
  for (const it of WAITING) waiting.push([it, await withWaiting(it)])
  const workers: [number, Cost][] = []
  for (const it of WORKERS) workers.push([it, await withWorkers(it)])
  const points = (those: typeof waiting) => those.map(([x, { busyMs }]) => ({ x, y: busyMs }))
  const file = fileURLToPath(new URL('../../docs/images/assignment-cost.svg', import.meta.url))
  writeFileSync(
    file,
    plot('What one assignment costs', {
      x: 'how many there are',
      y: 'milliseconds of the processor, request and records included',
      curves: [
        { name: `tasks waiting, ${WORKERS_USUAL} workers away`, points: points(waiting) },
        { name: 'workers free, no task waiting', points: points(workers) },
      ],
    }),
  )
  const growth = (those: typeof waiting): number =>
    (those.at(-1)?.[1].busyMs ?? 0) / (those[0]?.[1].busyMs ?? 1)
  const [byTasks, byWorkers] = [growth(waiting), growth(workers)]
  const said = (those: typeof waiting): string => those.map(([, { busyMs }]) => busyMs.toFixed(1)).join(', ')
  return {
    what: 'one assignment, 100 to 100,000 tasks waiting; 10 to 10,000 workers free',
    ours: `${said(waiting)} ms; ${said(workers)} ms`,
    ceiling: '',
    ratio: Math.max(byTasks, byWorkers),
    budget: `the last ≤ ${FLAT_MAX} × the first`,
    holds: byTasks <= FLAT_MAX && byWorkers <= FLAT_MAX,
    numbers: { waiting: Object.fromEntries(waiting), workers: Object.fromEntries(workers) },
  }
}

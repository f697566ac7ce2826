/**
 * How fast waiting tasks are offered to free workers, and whether the length of the queue matters. Tasks wait in a
 * queue whose expression lets nobody in; then it lets everybody in, and the reservations are counted as they appear.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ask, newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'

const WORKERS = 1_000
const TASKS_FEW = 1_000
const TASKS_MANY = 10_000
const PER_SECOND_MIN = 1_000
/** The cost of one reservation with many waiting may be this much of the cost with few. */
const FLAT_MAX = 1.5
const AT_ONCE = 32

const times = async (count: number, run: (at: number) => Promise<unknown>): Promise<void> => {
  let at = 0
  const worker = async (): Promise<void> => {
    while (at < count) await run(at++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** @returns reservations a second */
const measure = async (tasks: number): Promise<number> => {
  await using folder = await newFolder()
  await using parley = await openParley(folder.path)
  const { url } = parley
  const workspace = `/v1/Workspaces/${(await ask(url, 'POST', '/v1/Workspaces', { FriendlyName: 'Bench' })).sid}`
  const ready = await ask(url, 'POST', `${workspace}/Activities`, {
    FriendlyName: 'Ready',
    Available: 'true',
  })
  const queue = await ask(url, 'POST', `${workspace}/TaskQueues`, {
    FriendlyName: 'All',
    TargetWorkers: '1==2',
  })
  const workflow = await ask(url, 'POST', `${workspace}/Workflows`, {
    FriendlyName: 'To all',
    Configuration: JSON.stringify({ task_routing: { default_filter: { queue: queue.sid } } }),
  })
  await times(WORKERS, (at) =>
    ask(url, 'POST', `${workspace}/Workers`, { FriendlyName: `agent-${at}`, ActivitySid: String(ready.sid) }),
  )
  await times(tasks, (at) =>
    ask(url, 'POST', `${workspace}/Tasks`, {
      WorkflowSid: String(workflow.sid),
      Attributes: `{"number":${at}}`,
    }),
  )
  const db = new DatabaseSync(join(folder.path, 'parley.db'), { readOnly: true })
  const reservations = db.prepare('select count(*) as count from reservations')
  const count = (): number => Number((reservations.get() as { count: number }).count)
  if (count() !== 0) throw new Error('somebody was offered a task too early')
  const began = performance.now()
  await ask(url, 'POST', `${workspace}/TaskQueues/${queue.sid}`, { TargetWorkers: '1==1' })
  while (count() < WORKERS) await new Promise((resolve) => setTimeout(resolve, 2))
  const took = (performance.now() - began) / 1000
  db.close()
  return WORKERS / took
}

export const assignmentRow = async (): Promise<Row> => {
  const few = await measure(TASKS_FEW)
  const many = await measure(TASKS_MANY)
  return {
    what: `assignment, ${TASKS_MANY} tasks waiting, ${WORKERS} workers`,
    ours: `${Math.round(many)} reservations/s (${Math.round(few)}/s with ${TASKS_FEW} waiting)`,
    ceiling: '',
    ratio: many / PER_SECOND_MIN,
    budget: `≥ ${PER_SECOND_MIN} a second, cost flat in the queue's length`,
    holds: many >= PER_SECOND_MIN && few / many <= FLAT_MAX,
    numbers: { few, many },
  }
}

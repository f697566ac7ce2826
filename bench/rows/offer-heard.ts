/**
 * How long a task needs to reach its agent: from `task.created` until the published worker SDK says
 * `reservationCreated`, with 100 tasks a second and 50 agents at the SDK.
 */
import { attributesOf, makeCentre } from '../centre.ts'
import { tokenWith } from '../crowd.ts'
import { ask, newFolder, openParley, openProgram } from '../programs.ts'
import type { Row } from '../table.ts'

const AGENTS = 50
const A_SECOND = 100
const SECONDS = 10
const WARM_UP_SECONDS = 3
const PATIENCE_MS = 30_000
/** Less than a person takes for a delay. */
const P99_MS_MAX = 250

/** @returns milliseconds, the shortest first */
const measure = async (): Promise<number[]> => {
  await using folder = await newFolder()
  const centre = await makeCentre(folder.path, {
    ...{ workers: AGENTS, capacity: A_SECOND * SECONDS },
    ...{ available: true, tasks: 0 },
  })
  await using parley = await openParley(folder.path)
  const tokens = centre.workerSids.map((workerSid) =>
    tokenWith({
      identity: workerSid,
      task_router: { workspace_sid: centre.workspaceSid, worker_sid: workerSid, role: 'worker' },
    }),
  )
  await using agents = await openProgram('worker-sdk.ts', [parley.url, ...tokens])
  const heard = async (): Promise<number[]> => (await fetch(agents.url)).json() as Promise<number[]>
  const count = A_SECOND * (SECONDS + WARM_UP_SECONDS)
  const began = performance.now()
  const posts: Promise<unknown>[] = []
  for (let at = 0; at < count; at += 1) {
    const wait = began + (at * 1000) / A_SECOND - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const form = { WorkflowSid: centre.workflowSid, Attributes: attributesOf(at) }
    posts.push(ask(parley.url, 'POST', `/v1/Workspaces/${centre.workspaceSid}/Tasks`, form))
  }
  await Promise.all(posts)
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const all = await heard()
    if (all.length >= count) return all.slice(A_SECOND * WARM_UP_SECONDS).sort((a, b) => a - b)
    if (performance.now() > until) throw new Error(`the agents heard of ${all.length} tasks, of ${count}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export const offerHeardRow = async (): Promise<Row> => {
  const all = await measure()
  const percentile = (of: number): number => all[Math.floor((all.length * of) / 100)] ?? 0
  const [p50Ms, p99Ms] = [percentile(50), percentile(99)]
  return {
    what: `task.created → reservationCreated of the published worker SDK, ${A_SECOND} tasks/s, ${AGENTS} agents`,
    ours: `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    ceiling: '',
    ratio: p99Ms / P99_MS_MAX,
    budget: `p99 ≤ ${P99_MS_MAX} ms`,
    holds: p99Ms <= P99_MS_MAX,
    numbers: { p50Ms, p99Ms, count: all.length },
  }
}

/**
 * One round of routing, read off the store: which lanes wait, which free workers they admit, and what `choose` makes
 * of it. Nothing is changed here; what is decided may be stale by the time it is done, and is checked again there.
 *
 * Workers are read in the order of their idle time, a chunk at a time and only while tasks are left, so that one task
 * among a thousand idle workers costs one small chunk. Every channel is read up to the same moment of idleness, which
 * makes the outcome that of reading everybody.
 */
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import type { Reader } from '../../store/tx.ts'
import { type Candidate, choose, type Lane, type Offer } from './choose.ts'
import { type LaneFacts, laneFacts, RoundLane } from './lane.ts'
import { lanesWaiting, namedOpenWorkers, namedWorkers, oneOf, openWorkers, queuesBySid } from './waiting.ts'
import { WorkersKnown } from './workers-known.ts'

/** How many workers of a channel the first chunk has; each further one has four times as many. */
const CHUNK = 64
const CHUNK_GROWS = 4

/** An order of the workflow's own needs everybody at once. */
const EVERYBODY = 100_000

/** How many lanes' facts are kept between rounds. */
const LANES_KEPT_MAX = 20_000

const MINUTE_MS = 60_000

/** What a router keeps in memory between rounds; all of it can be read again. */
export class RouterMemory {
  readonly workers = new WorkersKnown()
  readonly lanes = new Map<string, LaneFacts>()
}

interface Free extends Candidate {
  readonly idle_since: number
  readonly version: number
}

export interface DecidedOffer extends Offer {
  /** Of the worker, when it was decided. */
  readonly workerVersion: number
}

export interface Decision {
  readonly offers: readonly DecidedOffer[]
  /** Lanes with tasks that found nobody. */
  readonly left: readonly RoundLane[]
  /** When it is worth looking again though nothing changes: a pause ends, or the time that an expression reads. */
  readonly lookAgainAt: number | undefined
}

/** What can be offered now, by what the rows say. */
export const decide = async (
  reader: Reader,
  workspace: WorkspaceRow,
  memory: RouterMemory,
): Promise<Decision> => {
  const names = (await lanesWaiting.all(reader, { workspaceSid: workspace.sid })).map(
    (it) => it.lane as string,
  )
  const lanes = await readLanes(reader, workspace.sid, names, memory)
  const offers: DecidedOffer[] = []
  await offerRegardless(reader, lanes, offers)
  const usual = await withoutClosed(
    reader,
    lanes.filter(({ facts: { target } }) => !target.ignoreCapacity),
  )
  let edge: Edge = { idleSince: -1, workerSid: '' }
  for (let chunk = CHUNK; ; chunk *= CHUNK_GROWS) {
    const hungry = usual.filter((it) => it.hungry)
    if (!hungry.length) break
    const limit = hungry.some((it) => it.orderBy) ? EVERYBODY : chunk
    const { free, until } = await readFree(reader, hungry, edge, limit)
    await provide(reader, workspace, memory, hungry, free, offers)
    if (!until) break
    edge = until
  }
  const left = lanes.filter((it) => it.hungry)
  return { offers, left, lookAgainAt: lookAgainAt(reader.now(), left) }
}

/** Lanes by their names, as a round begins with them; one that nothing waits in any more is left out. */
export const readLanes = async (
  reader: Reader,
  workspaceSid: string,
  names: readonly string[],
  memory: Pick<RouterMemory, 'lanes'>,
): Promise<RoundLane[]> => {
  const found: [string, LaneFacts][] = []
  const sids = new Set<string>()
  for (const name of names) {
    const facts = memory.lanes.get(name) ?? (await readFacts(reader, workspaceSid, name, memory))
    if (!facts) continue
    found.push([name, facts])
    if (facts.queueSid !== null) sids.add(facts.queueSid)
  }
  const queues = await queuesBySid.all(reader, { sids: JSON.stringify([...sids]) })
  const bySid = new Map(queues.map((it) => [it.sid, it]))
  const lanes: RoundLane[] = []
  for (const [name, facts] of found) {
    const queue = facts.queueSid === null ? undefined : bySid.get(facts.queueSid)
    if (queue || facts.queueSid === null) lanes.push(new RoundLane(workspaceSid, name, facts, queue))
  }
  return lanes
}

const readFacts = async (
  reader: Reader,
  workspaceSid: string,
  name: string,
  { lanes }: Pick<RouterMemory, 'lanes'>,
): Promise<LaneFacts | undefined> => {
  const row = await oneOf.first(reader, { workspaceSid, lane: name })
  if (!row) return undefined
  const facts = laneFacts(row)
  if (lanes.size >= LANES_KEPT_MAX) lanes.clear()
  lanes.set(name, facts)
  return facts
}

const channelOf = (workerSid: string | undefined, taskChannelSid: string) => `${workerSid} ${taskChannelSid}`

/** As a JSON list. */
const channelsOf = (lanes: readonly RoundLane[]) =>
  JSON.stringify([...new Set(lanes.map((it) => it.facts.taskChannelSid))])

const namedBy = (lanes: readonly RoundLane[]) => ({
  sids: JSON.stringify([...new Set(lanes.map((it) => it.facts.target.workerSid))]),
  taskChannelSids: channelsOf(lanes),
})

/** For a named worker who can take nothing now nobody need be read. */
const withoutClosed = async (reader: Reader, lanes: readonly RoundLane[]): Promise<readonly RoundLane[]> => {
  const naming = lanes.filter((it) => it.facts.target.workerSid !== undefined)
  if (!naming.length) return lanes
  const rows = await namedOpenWorkers.all(reader, namedBy(naming))
  const open = new Set(rows.map((it) => channelOf(it.worker_sid, it.task_channel_sid)))
  return lanes.filter(
    ({ facts: { target, taskChannelSid } }) =>
      target.workerSid === undefined || open.has(channelOf(target.workerSid, taskChannelSid)),
  )
}

/** Tasks for a worker whatever they are doing and have in hand. */
const offerRegardless = async (
  reader: Reader,
  lanes: readonly RoundLane[],
  offers: DecidedOffer[],
): Promise<void> => {
  const regardless = lanes.filter(
    ({ facts: { target } }) => target.ignoreCapacity && target.workerSid !== undefined,
  )
  if (!regardless.length) return
  const rows = await namedWorkers.all(reader, namedBy(regardless))
  const named = new Map(rows.map((it) => [channelOf(it.sid, it.task_channel_sid), it]))
  for (const lane of regardless) {
    const worker = named.get(channelOf(lane.facts.target.workerSid, lane.facts.taskChannelSid))
    if (!worker) continue
    lane.admitted.push(worker.sid)
    await lane.fillFor(reader, [worker])
    take([lane], offers, choose([inLane(lane, [worker])], 'FIFO'), new Map([[worker.sid, worker]]))
  }
}

interface Edge {
  readonly idleSince: number
  readonly workerSid: string
}

/**
 * The free workers of each channel that is needed, after `edge`.
 * @returns `until` how far all channels were read; undefined when nobody is left
 */
const readFree = async (
  reader: Reader,
  lanes: readonly RoundLane[],
  edge: Edge,
  limit: number,
): Promise<{ free: Map<string, Free[]>; until: Edge | undefined }> => {
  const free = new Map<string, Free[]>()
  let until: Edge | undefined
  const before = (worker: Free, it: Edge) =>
    worker.idle_since < it.idleSince || (worker.idle_since === it.idleSince && worker.sid <= it.workerSid)
  for (const taskChannelSid of new Set(lanes.map((it) => it.facts.taskChannelSid))) {
    const rows = await openWorkers(limit).all(reader, { taskChannelSid, ...edge })
    free.set(taskChannelSid, rows)
    const last = rows.at(-1)
    if (rows.length === limit && last && (!until || before(last, until)))
      until = { idleSince: last.idle_since, workerSid: last.sid }
  }
  const edgeOfAll = until
  if (edgeOfAll)
    for (const [channel, rows] of free)
      free.set(
        channel,
        rows.filter((it) => before(it, edgeOfAll)),
      )
  return { free, until }
}

/** Lets the lanes choose among these workers. */
const provide = async (
  reader: Reader,
  workspace: WorkspaceRow,
  memory: RouterMemory,
  lanes: readonly RoundLane[],
  free: ReadonlyMap<string, readonly Free[]>,
  offers: DecidedOffer[],
): Promise<void> => {
  const bySid = new Map([...free.values()].flat().map((it) => [it.sid, it]))
  if (!bySid.size) return
  const counts = lanes.some((it) => it.reads('channel.'))
  const facts = await memory.workers.of(reader, [...bySid.values()], counts)
  const now = reader.now()
  const admitted = new Map<RoundLane, Free[]>()
  for (const lane of lanes) {
    const those = (free.get(lane.facts.taskChannelSid) ?? []).filter((it) => {
      const worker = facts.get(it.sid)
      return worker !== undefined && lane.admits(worker, now)
    })
    const { orderBy } = lane
    // The sort is stable: where the order does not tell, who is idle longest stays first.
    if (orderBy) those.sort((a, b) => orderBy.compare(facts.get(a.sid) ?? {}, facts.get(b.sid) ?? {}))
    if (!those.length) continue
    admitted.set(lane, those)
    for (const { sid } of those) lane.admitted.push(sid)
  }
  // Who has been given one regardless is no more free for another in this round than who was chosen in it.
  const taken = new Set(offers.map((it) => it.worker))
  const hasUntaken = (lane: RoundLane) => (admitted.get(lane) ?? []).some(({ sid }) => !taken.has(sid))
  let choosing = [...admitted.keys()].filter(hasUntaken)
  while (choosing.length) {
    const wanted = new Map(
      choosing.map((lane) => [lane, (admitted.get(lane) ?? []).filter(({ sid }) => !taken.has(sid))]),
    )
    // A lane whose tasks were all read and found nobody here is done; one that can read on does.
    for (const [lane, workers] of wanted) await lane.fillFor(reader, workers)
    const round = choosing.map((lane) => inLane(lane, wanted.get(lane) ?? []))
    const choice = choose(round, workspace.prioritize_queue_order)
    for (const { worker } of choice.offers) taken.add(worker)
    take(choosing, offers, choice, bySid)
    choosing = choosing.filter((lane) => !lane.exhausted && hasUntaken(lane))
  }
}

const inLane = (lane: RoundLane, workers: readonly Candidate[]): Lane => ({
  name: lane.name,
  order: lane.order,
  tasks: lane.tasks,
  workers,
  best: lane.facts.target.workerSid
    ? 'named by the task'
    : lane.orderBy
      ? 'first by order_by'
      : 'idle longest',
})

/** Notes what was chosen, and leaves in the lanes what was not. */
const take = (
  lanes: readonly RoundLane[],
  offers: DecidedOffer[],
  choice: ReturnType<typeof choose>,
  workers: ReadonlyMap<string, Pick<Free, 'version'>>,
): void => {
  for (const it of choice.offers) offers.push({ ...it, workerVersion: workers.get(it.worker)?.version ?? -1 })
  for (const lane of lanes) lane.tasks = choice.left.get(lane.name) ?? []
}

/**
 * Whether a worker who was just offered a task may take another of those that are left: in one round each gets one. What
 * they have in hand now may also let them into a lane that reads it.
 */
export const hasRoomForMore = async (reader: Reader, { offers, left }: Decision): Promise<boolean> => {
  const busier = new Set(offers.map((it) => it.worker))
  const admitting = (lane: RoundLane) =>
    lane.reads('channel.') ? [...busier] : lane.admitted.filter((it) => busier.has(it))
  const lanes = left.filter((it) => admitting(it).length)
  if (!lanes.length) return false
  if (lanes.some((it) => it.facts.target.ignoreCapacity)) return true
  const rows = await namedOpenWorkers.all(reader, {
    sids: JSON.stringify([...busier]),
    taskChannelSids: channelsOf(lanes),
  })
  const open = new Set(rows.map((it) => channelOf(it.worker_sid, it.task_channel_sid)))
  return lanes.some((lane) =>
    admitting(lane).some((it) => open.has(channelOf(it, lane.facts.taskChannelSid))),
  )
}

const lookAgainAt = (now: number, left: readonly RoundLane[]): number | undefined => {
  const moments = left.flatMap((it) => it.pausedUntil ?? [])
  if (left.some((it) => it.reads('taskrouter.'))) moments.push((Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS)
  return moments.length ? Math.min(...moments) : undefined
}

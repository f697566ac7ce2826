/**
 * What Explain says comes next, comes, and not a millisecond before: a day of chance in a small centre, in which every
 * task is asked after each step, and the clock is moved to whatever was announced as the soonest.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bridge, openBridge } from '../protocols/bridge.ts'
import { type Chance, openChance } from '../simulation/chance.ts'

const STEPS = 60

interface Answer {
  readonly task_sid: string
  readonly assignment_status: string
  readonly summary: string
  readonly reason: string | null
  readonly workflow: { readonly target: string | null } | null
  readonly transfer: object | null
  readonly offers: {
    readonly live: readonly {
      readonly sid: string
      readonly worker_sid: string
      readonly worker_name: string
      readonly reservation_status: string
    }[]
  }
  readonly considered: { readonly can_take_it: number }
  readonly next: readonly { readonly what: string; readonly at: string; readonly outcome: string }[]
}

/** What is common enough to be announced, and to come, on these days. */
const FORETOLD = [
  /^The task moves to /,
  /^The task is canceled: Task canceled on Workflow timeout/,
  /^The task is canceled: Task TTL Exceeded/,
  /^Nothing while the task is offered/,
  /, who goes into \w+; others are asked first/,
  /, and the task moves to /,
  /; nobody else may take the task/,
]

test('what is said to come next comes', async () => {
  const came: string[] = []
  for (const seed of [1, 2, 3, 4, 5, 6]) came.push(...(await live(seed)))
  for (const one of FORETOLD)
    assert.ok(
      came.some((it) => one.test(it)),
      `${one} never came`,
    )
})

/** @returns what was announced and came */
const live = async (seed: number): Promise<string[]> => {
  await using bridge = await openBridge()
  const { world } = bridge
  const chance = openChance(seed)
  const furniture = await furnish(bridge)
  const tasks: string[] = []
  const came: string[] = []
  for (let step = 0; step < STEPS; step += 1) {
    await act(bridge, chance, { ...furniture, tasks })
    await world.settle()
    const answers = await askAll(bridge, tasks)
    for (const answer of answers) mustBeSettled(answer)
    const soonest = answers
      .flatMap((answer) => answer.next.map((next) => ({ answer, ...next })))
      .filter(({ what }) => what !== 'removal' && what !== 'routing')
      .sort((a, b) => (a.at < b.at ? -1 : 1))[0]
    if (!soonest || chance.percent(40)) continue
    const before = await stateOf(bridge, soonest.answer.task_sid)
    world.clock.advance(Date.parse(soonest.at) - 1 - world.clock.now())
    await world.settle()
    // Somebody who refused it may have been asked again by now, and something else comes next.
    if (before !== (await stateOf(bridge, soonest.answer.task_sid))) continue
    world.clock.advance(1)
    await world.settle()
    const [after] = await askAll(bridge, [soonest.answer.task_sid])
    await mustHaveCome(bridge, soonest, after as Answer)
    came.push(soonest.outcome)
  }
  return came
}

/** Two queues by language; three targets, of which the first lets pass, the last ends. */
const furnish = async ({ centre }: Bridge) => {
  const english = await centre.queue('English', {
    targetWorkers: "languages HAS 'en'",
    maxReservedWorkers: 2,
  })
  const spanish = await centre.queue('Spanish', { targetWorkers: "languages HAS 'es'" })
  const workflow = await centre.workflow(
    'Chance',
    {
      filters: [
        {
          expression: "language == 'es'",
          targets: [
            { queue: spanish, expression: 'worker.level >= task.level', skip_if: 'workers.available == 0' },
            { queue: spanish, timeout: 45 },
          ].map((it) => ({ timeout: 20, ...it })),
        },
        {
          expression: 'agent != null',
          targets: [
            { queue: english, known_worker_friendly_name: 'task.agent', timeout: 15 },
            { queue: spanish, known_worker_friendly_name: "'nobody'", timeout: 15 },
            { queue: english, priority: 5 },
          ],
        },
      ],
      default_filter: { queue: english },
    },
    { taskReservationTimeout: 30 },
  )
  const workers = [
    await centre.worker('ana', { languages: ['en'], level: 1 }),
    await centre.worker('ben', { languages: ['en', 'es'], level: 3 }),
    await centre.worker('cleo', { languages: ['es'], level: 1 }, centre.offline),
    await centre.worker('dora', { languages: ['en'], level: 2 }, centre.away),
  ]
  for (const it of workers)
    await centre.workspace.workers(it).workerChannels('default').update({ capacity: 3 })
  return { workers, workflow }
}

/** One thing that somebody does. What is refused was too late, and changes nothing. */
const act = async (
  { centre, world, ask, token }: Bridge,
  chance: Chance,
  { workers, workflow, tasks }: { workers: readonly string[]; workflow: string; tasks: string[] },
): Promise<void> => {
  world.clock.advance(chance.int(1, 3_000))
  const worker = chance.pick(workers)
  const own = await centre.workspace.workers(worker).reservations.list()
  const offer = own.find((it) => it.reservationStatus === 'pending')
  const inHand = own.find((it) => it.reservationStatus === 'accepted')
  const answer = (sid: string, reservationStatus: 'accepted' | 'rejected' | 'completed') =>
    centre.workspace.workers(worker).reservations(sid).update({ reservationStatus })
  const what = chance.int(1, 10)
  if (offer && what <= 5) await answer(offer.sid, what <= 3 ? 'accepted' : 'rejected')
  else if (inHand && what <= 2) await answer(inHand.sid, 'completed')
  else if (inHand && what <= 5) {
    const there = await centre.workspace.workers.list({ available: 'true' })
    const to = chance.pick([...there, ...there, ...(await centre.workspace.taskQueues.list())]).sid
    const form = { TaskSid: inHand.taskSid, ReservationSid: inHand.sid, To: to }
    const mode = { Mode: chance.pick(['WARM', 'COLD']) }
    await ask('POST', `Workers/${worker}/Transfers`, token(worker), { ...form, ...mode })
  } else if (what <= 7)
    await centre.workspace
      .workers(worker)
      .update({ activitySid: chance.pick([centre.available, centre.available, centre.offline, centre.away]) })
  else
    tasks.push(
      await centre.task(
        chance.percent(10)
          ? { routingTarget: worker, ignoreCapacity: String(chance.percent(50)) }
          : {
              workflowSid: workflow,
              timeout: chance.pick([27, 53, 3_600]),
              attributes: JSON.stringify({
                level: chance.int(1, 3),
                ...(chance.percent(40) && { language: 'es' }),
                ...(chance.percent(30) && { agent: chance.pick(['ana', 'dora', 'stranger']) }),
              }),
            },
      ),
    )
}

const askAll = async ({ world, workspaceSid }: Bridge, tasks: readonly string[]): Promise<Answer[]> => {
  const answers: Answer[] = []
  for (const sid of tasks) {
    const answer = await world.fetch(`/v1/Workspaces/${workspaceSid}/Tasks/${sid}/Explain`)
    if (answer.status === 200) answers.push((await answer.json()) as Answer)
    else assert.equal(answer.status, 404, 'over, and swept')
  }
  return answers
}

/** The router has done all that it can: nobody who could take a task is left beside it. */
const mustBeSettled = ({ task_sid, summary, considered, offers, assignment_status }: Answer): void => {
  assert.equal(considered.can_take_it, 0, `${task_sid}: ${summary}`)
  if (assignment_status !== 'pending' && assignment_status !== 'reserved') return
  for (const { worker_name, reservation_status } of offers.live)
    if (reservation_status === 'pending') assert.ok(summary.includes(worker_name), summary)
}

/** What could change by itself of a task. */
const stateOf = async (bridge: Bridge, sid: string): Promise<string> => {
  const [it] = await askAll(bridge, [sid])
  return JSON.stringify([it?.assignment_status, it?.workflow?.target, it?.offers.live, it?.summary])
}

/** @throws where what was announced has not come */
const mustHaveCome = async (
  { centre }: Bridge,
  { answer, what, at, outcome }: { answer: Answer; what: string; at: string; outcome: string },
  after: Answer,
): Promise<void> => {
  const said = `${what} of ${answer.task_sid} at ${at}: ${outcome} It is: ${JSON.stringify(after)}`
  assert.ok(!after.next.some((it) => it.what === what && it.at === at), `still to come: ${said}`)
  const isLater = outcome.startsWith('Nothing while the task is offered')
  const [, canceled] = /the task is canceled: (.*)\.$/i.exec(outcome) ?? []
  if (canceled !== undefined && !isLater) {
    assert.equal(after.assignment_status, 'canceled', said)
    assert.equal(after.reason, canceled, said)
  }
  const [, target] = /the task moves to (\S+), queue/i.exec(outcome) ?? []
  if (target !== undefined) assert.equal(after.workflow?.target === target, !isLater, said)
  if (/the transfer fails/.test(outcome)) assert.equal(after.transfer, null, said)
  if (/keeps? the task/.test(outcome)) assert.match(after.assignment_status, /^(assigned|wrapping)$/, said)
  if (/nobody else may take|waits where it waited|goes through its workflow again/.test(outcome))
    assert.match(after.assignment_status, /^(pending|reserved)$/, said)
  const [, name, activity] = /^The offer to (\w+) is over(?:, who goes into (\w+))?/.exec(outcome) ?? []
  if (name === undefined) return
  const offer = answer.offers.live.find(
    (it) => it.worker_name === name && it.reservation_status === 'pending',
  )
  const reservations = centre.workspace.tasks(answer.task_sid).reservations
  assert.equal((await reservations(offer?.sid ?? '').fetch()).reservationStatus, 'timeout', said)
  const worker = await centre.workspace.workers(offer?.worker_sid ?? '').fetch()
  if (activity !== undefined) assert.equal(worker.activityName, activity, said)
}

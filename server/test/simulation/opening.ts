/** How a centre opens, and hires: its workspace, activities, queues, workflows and workers, by chance. */
import {
  CHANNELS,
  configurationOf,
  type Queue,
  someAttributes,
  someQueue,
  someRouting,
  type Workflow,
} from './centre.ts'
import type { Chance } from './chance.ts'
import { type Clients, openClients } from './clients.ts'
import type { Known } from './moment.ts'
import { type Shift, someShift } from './shifts.ts'
import { type Row, type Stage, WORKER, WORKSPACE } from './stage.ts'

/** Tasks an hour for each agent who is there: a quiet centre, a usual one, and one that cannot keep up. */
const TASKS_AN_HOUR = [3, 6, 20] as const
const TASKS_AN_HOUR_IN_A_LARGE_CENTRE = 6

export interface CentreWanted {
  /** How many agents; by chance from four to nine, who are always there, unless given. */
  readonly agents?: number | undefined
  /** Whether so many are there day and night; they have shifts unless said otherwise. */
  readonly roundTheClock?: boolean | undefined
}

export interface Centre extends Known {
  readonly queues: Map<string, Queue>
  readonly workflows: Map<string, Workflow>
  readonly workspaceSid: string
  readonly ready: string
  readonly away: string
  readonly tasksAnHour: number
  readonly names: string[]
  readonly workers: string[]
  /** A large centre hires only in place of those who left. */
  readonly workersMax: number
  readonly hasShifts: boolean
  /** Empty where everybody is always there. */
  readonly shifts: Map<string, Shift>
  /** Who has come to work, of those who have shifts. */
  readonly present: Set<string>
  readonly sockets: Clients
}

export const build = async (stage: Stage, chance: Chance, wanted: CentreWanted): Promise<Centre> => {
  const made = async (resource: string, path: object, input: object): Promise<Row> => {
    const row = await stage.ask(resource, 'create', path, input)
    if (!row) throw new Error(`the simulation could not make its ${resource}`)
    return row
  }
  const workspace = await made(
    WORKSPACE,
    {},
    {
      friendlyName: 'Simulated',
      template: 'NONE',
      multiTaskEnabled: wanted.agents !== undefined || chance.percent(80),
      prioritizeQueueOrder: chance.percent(70) ? 'FIFO' : 'LIFO',
    },
  )
  const workspaceSid = workspace.sid
  const at = { workspaceSid }
  const ready = await made(`${WORKSPACE}.activity`, at, { friendlyName: 'Ready', available: true })
  const away = await made(`${WORKSPACE}.activity`, at, { friendlyName: 'Lunch', available: false })
  await stage.ask(
    WORKSPACE,
    'update',
    { sid: workspaceSid },
    {
      timeoutActivitySid: (chance.percent(50) ? away : ready).sid,
    },
  )
  const queues = new Map<string, Queue>()
  for (let it = 0; it < (wanted.agents === undefined ? chance.int(2, 4) : 12); it += 1) {
    const queue = someQueue(chance)
    const { sid } = await made(`${WORKSPACE}.task_queue`, at, {
      friendlyName: `queue ${it}`,
      targetWorkers: queue.clause.text,
      maxReservedWorkers: queue.maxReserved,
      taskOrder: queue.order,
    })
    queues.set(sid, { ...queue, sid })
  }
  const workflows = new Map<string, Workflow>()
  for (let it = 0; it < (wanted.agents === undefined ? chance.int(1, 2) : 6); it += 1) {
    const routing = someRouting(chance, [...queues.values()])
    const { sid } = await made(`${WORKSPACE}.workflow`, at, {
      friendlyName: `workflow ${it}`,
      configuration: configurationOf(routing),
      taskReservationTimeout: chance.int(5, 60),
    })
    workflows.set(sid, { sid, routing })
  }
  const sockets = openClients(stage, chance, wanted.agents === undefined ? 'small' : 'large')
  const centre: Centre = {
    ...{ sockets, clients: sockets.all },
    ...{ queues, workflows, workspaceSid },
    ...{ ready: ready.sid, away: away.sid, names: [], workers: [] },
    workersMax: wanted.agents ?? Number.POSITIVE_INFINITY,
    hasShifts: wanted.agents !== undefined && !wanted.roundTheClock,
    ...{ shifts: new Map(), present: new Set() },
    tasksAnHour: wanted.agents === undefined ? chance.pick(TASKS_AN_HOUR) : TASKS_AN_HOUR_IN_A_LARGE_CENTRE,
  }
  for (let it = 0; it < (wanted.agents ?? chance.int(4, 9)); it += 1) await hire(stage, chance, centre)
  return centre
}

export const hire = async (stage: Stage, chance: Chance, centre: Centre): Promise<void> => {
  const friendlyName = `agent ${centre.names.length}`
  centre.names.push(friendlyName)
  const worker = await stage.ask(WORKER, 'create', centre, {
    friendlyName,
    attributes: someAttributes.worker(chance),
    activitySid: chance.percent(75) ? centre.ready : centre.away,
  })
  if (!worker) return
  centre.workers.push(worker.sid)
  if (centre.hasShifts) {
    centre.shifts.set(worker.sid, someShift(chance))
    centre.present.add(worker.sid)
  }
  centre.sockets.hired(worker.sid)
  await setCapacity(stage, chance, centre, worker.sid)
}

export const setCapacity = (stage: Stage, chance: Chance, centre: Centre, workerSid: string) =>
  stage.ask(
    `${WORKER}.worker_channel`,
    'update',
    { ...centre, workerSid, sid: chance.pick(CHANNELS) },
    {
      capacity: chance.int(0, 3),
      ...(chance.percent(30) && { available: chance.percent(70) }),
    },
  )

/** A desk in a small centre: workers who come in with a published SDK. */
import { mustAgree } from '../../taskrouter/agreement.ts'
import { type Centre, openCentre } from '../../taskrouter/centre.ts'
import { openWorld, type World, type WorldOptions } from '../../world/index.ts'
import { type Agent, type Credentials, type SdkVersion, sitDown, tokenOf } from './agent.ts'

export interface Desk extends AsyncDisposable {
  readonly world: World
  readonly centre: Centre
  readonly workspaceSid: string
  token(workerSid: string, more?: Partial<Credentials>): string
  /** Makes a worker, who is available, and lets them come in. */
  sit(name: string, options?: object): Promise<Agent>
  /** Makes a task, offers it and lets the agent accept it. */
  give(agent: Agent, options?: object): Promise<string>
}

export const openDesk = async (version: SdkVersion, options: WorldOptions = {}): Promise<Desk> => {
  const open = new AsyncDisposableStack()
  const world = open.use(await openWorld(options))
  const centre = await openCentre(world)
  const workspaceSid = (await centre.workspace.fetch()).sid
  const token: Desk['token'] = (workerSid, more = {}) => tokenOf(world, { workspaceSid, workerSid, ...more })
  return {
    world,
    centre,
    workspaceSid,
    token,
    sit: async (name, more = {}) => {
      const agent = await sitDown(version, token(await centre.worker(name)), world.url, more)
      return open.use(agent)
    },
    give: async (agent, more = {}) => {
      const task = await centre.task({ routingTarget: agent.worker.sid, ...more })
      await world.settle()
      await agent.untilTrue(() => agent.reservations.some((it) => it.task.sid === task))
      await agent.reservation.accept()
      await agent.until('reservation.accepted', agent.reservations.length)
      return task
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await mustAgree(world.house.store.reader)
      } finally {
        await open.disposeAsync()
      }
    },
  }
}

/** A small centre in the world of a test: one workspace, with what a story needs of it. */
import type { Twilio, World } from '../world/index.ts'

export type Workspace = ReturnType<Twilio['taskrouter']['v1']['workspaces']>

export interface Centre {
  readonly world: World
  readonly workspace: Workspace
  readonly available: string
  readonly offline: string
  /** Another unavailable activity. */
  readonly away: string
  /** A worker who is available, unless told otherwise. */
  worker(name: string, attributes?: object, activity?: string): Promise<string>
  queue(name: string, options?: object): Promise<string>
  workflow(name: string, routing: object, options?: object): Promise<string>
  /** A task; returns its SID. */
  task(options?: object): Promise<string>
  /** Reservations of a task, as `name:status`, oldest first. */
  offersOf(taskSid: string): Promise<string[]>
  statusOf(taskSid: string): Promise<string>
  /** The worker answers the pending reservation of the task. */
  answer(
    taskSid: string,
    name: string,
    status: 'accepted' | 'rejected' | 'wrapping' | 'completed',
    more?: object,
  ): Promise<void>
}

/** @param routing the one workflow's; everybody's queue unless given */
export const openCentre = async (
  world: World,
  { workspace: options = {}, routed = true }: { workspace?: object; routed?: boolean } = {},
): Promise<Centre> => {
  const { workspaces } = world.twilio.taskrouter.v1
  const template = routed ? 'FIFO' : 'NONE'
  const { sid } = await workspaces.create({ friendlyName: 'Support', template, ...options })
  const workspace = workspaces(sid)
  const activities = await workspace.activities.list()
  const named = (name: string) => activities.find((it) => it.friendlyName === name)?.sid as string
  const available = named('Available')
  return {
    world,
    workspace,
    available,
    offline: named('Offline'),
    away: named('Unavailable'),
    worker: async (friendlyName, attributes = {}, activitySid = available) =>
      (await workspace.workers.create({ friendlyName, attributes: JSON.stringify(attributes), activitySid }))
        .sid,
    queue: async (friendlyName, more = {}) =>
      (await workspace.taskQueues.create({ friendlyName, ...more })).sid,
    workflow: async (friendlyName, routing, more = {}) =>
      (
        await workspace.workflows.create({
          friendlyName,
          configuration: JSON.stringify({ task_routing: routing }),
          ...more,
        })
      ).sid,
    task: async (more = {}) => (await workspace.tasks.create(more)).sid,
    offersOf: async (taskSid) =>
      (await workspace.tasks(taskSid).reservations.list()).map(
        (it) => `${it.workerName}:${it.reservationStatus}`,
      ),
    statusOf: async (taskSid) => (await workspace.tasks(taskSid).fetch()).assignmentStatus,
    answer: async (taskSid, name, reservationStatus, more = {}) => {
      const all = await workspace.tasks(taskSid).reservations.list()
      const found = all.findLast((it) => it.workerName === name)
      if (!found) throw new Error(`${name} has no reservation of ${taskSid}`)
      await workspace
        .tasks(taskSid)
        .reservations(found.sid)
        .update({ reservationStatus, ...more })
    },
  }
}

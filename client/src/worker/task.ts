import type { Data } from './bridge.ts'
import { type Core, dateOf, readAttributes } from './core.ts'

export type TaskStatus = 'pending' | 'reserved' | 'assigned' | 'wrapping' | 'completed' | 'canceled'

/** A task as it was when this was made; what changes comes as a new one. */
export class Task {
  readonly sid: string
  readonly status: TaskStatus
  readonly attributes: Readonly<Record<string, unknown>>
  readonly priority: number
  /** Why it was canceled, wrapped up or completed. */
  readonly reason: string | null
  readonly queueSid: string | null
  readonly queueName: string | null
  readonly workflowSid: string | null
  readonly workflowName: string | null
  readonly taskChannelSid: string
  readonly taskChannelUniqueName: string
  readonly routingTarget: string | null
  /** In seconds. */
  readonly timeout: number
  /** From when its age is counted. */
  readonly virtualStartTime: Date
  readonly dateCreated: Date
  readonly dateUpdated: Date
  readonly version: number
  readonly #core: Core

  constructor(core: Core, data: Data) {
    this.#core = core
    this.sid = data.sid
    this.status = data.assignment_status
    this.attributes = readAttributes(data.attributes)
    this.priority = data.priority
    this.reason = data.reason ?? null
    this.queueSid = data.queue_sid ?? null
    this.queueName = data.queue_name ?? null
    this.workflowSid = data.workflow_sid ?? null
    this.workflowName = data.workflow_name ?? null
    this.taskChannelSid = data.task_channel_sid
    this.taskChannelUniqueName = data.task_channel_unique_name
    this.routingTarget = data.routing_target ?? null
    this.timeout = data.timeout
    this.virtualStartTime = dateOf(data.virtual_start_time)
    this.dateCreated = dateOf(data.date_created)
    this.dateUpdated = dateOf(data.date_updated)
    this.version = data.version
    Object.freeze(this)
  }

  /** Sets all attributes anew; it comes as `taskUpdated`. */
  async setAttributes(attributes: object): Promise<Task> {
    const { desk } = this.#core
    return this.#change({ Attributes: JSON.stringify(attributes) }, (answer) => desk.knowsTask(answer))
  }

  /** The work is done, the notes are not: with it the reservations are wrapped up. */
  async wrapUp(reason?: string): Promise<Task> {
    const { desk } = this.#core
    const params = { AssignmentStatus: 'wrapping', ...(reason !== undefined && { Reason: reason }) }
    return this.#change(params, (answer) => desk.knowsTask(answer) && !desk.isWorkedOn(this.sid))
  }

  /** All of it is done: with it the reservations are completed. */
  async complete(reason: string): Promise<Task> {
    const { desk } = this.#core
    return this.#change({ AssignmentStatus: 'completed', Reason: reason }, () => !desk.task(this.sid))
  }

  async #change(params: object, isHeard: (answer: Data) => boolean): Promise<Task> {
    const answer = await this.#core.change(`Tasks/${this.sid}`, params, isHeard)
    return this.#core.desk.task(this.sid) ?? new Task(this.#core, answer)
  }
}

/** Apart from what its reservation tells. */
export const isOtherwiseChanged = (now: Task, before: Task): boolean => shownOf(now) !== shownOf(before)

const shownOf = ({ attributes, priority, queueSid, workflowSid, routingTarget, virtualStartTime }: Task) =>
  JSON.stringify([attributes, priority, queueSid, workflowSid, routingTarget, virtualStartTime])

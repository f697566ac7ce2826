import type { Data } from './bridge.ts'
import { type Core, dateOf, readAttributes } from './core.ts'

/** What a worker can be doing. */
export interface Activity {
  readonly sid: string
  readonly friendlyName: string
  /** Whether a worker gets tasks in it. */
  readonly available: boolean
}

export const readActivity = ({ sid, friendly_name, available }: Data): Activity =>
  Object.freeze({ sid, friendlyName: friendly_name, available })

/** What a worker takes of one task channel. */
export interface WorkerChannel {
  readonly sid: string
  readonly taskChannelSid: string
  readonly taskChannelUniqueName: string
  /** How many tasks at once. */
  readonly capacity: number
  readonly available: boolean
}

export const readChannel = (data: Data): WorkerChannel =>
  Object.freeze({
    sid: data.sid,
    taskChannelSid: data.task_channel_sid,
    taskChannelUniqueName: data.task_channel_unique_name,
    capacity: data.configured_capacity,
    available: Boolean(data.available),
  })

/** The worker as they were when this was made; what changes comes as a new one. */
export class Worker {
  readonly sid: string
  readonly workspaceSid: string
  readonly friendlyName: string
  readonly activity: Activity
  readonly attributes: Readonly<Record<string, unknown>>
  /** Since when the activity is what it is. */
  readonly dateStatusChanged: Date
  readonly dateCreated: Date
  readonly dateUpdated: Date
  readonly version: number
  readonly #core: Core

  constructor(core: Core, data: Data) {
    this.#core = core
    this.sid = data.sid
    this.workspaceSid = data.workspace_sid
    this.friendlyName = data.friendly_name
    this.activity = readActivity({ ...data, sid: data.activity_sid, friendly_name: data.activity_name })
    this.attributes = readAttributes(data.attributes)
    this.dateStatusChanged = dateOf(data.date_status_changed)
    this.dateCreated = dateOf(data.date_created)
    this.dateUpdated = dateOf(data.date_updated)
    this.version = data.version
    Object.freeze(this)
  }

  /**
   * Does something else from now on; it comes as `activityUpdated`.
   * @param activity one of `client.activities`, or its SID
   * @param options `rejectPendingReservations` turns down what is offered now, for an activity that is not available
   * @throws WorkerError `invalid` where something is offered now, and not turned down
   */
  setActivity(
    activity: Activity | string,
    options: { readonly rejectPendingReservations?: boolean } = {},
  ): Promise<Worker> {
    const ActivitySid = typeof activity === 'string' ? activity : activity.sid
    const rejects = options.rejectPendingReservations
    return this.#change({ ActivitySid, ...(rejects && { RejectPendingReservations: true }) })
  }

  /** Sets all attributes anew; it comes as `attributesUpdated`. */
  setAttributes(attributes: object): Promise<Worker> {
    return this.#change({ Attributes: JSON.stringify(attributes) })
  }

  async #change(params: object): Promise<Worker> {
    const { desk, own } = this.#core
    await this.#core.change(own, params, (answer) => desk.knowsWorker(answer))
    return desk.worker ?? this
  }
}

/** What TaskRouter's statistics are counted from: one short row for each thing that happened, kept for a month. */
export interface StatisticsTables {
  /** What happened to tasks and to the offers of them. Rows are added and swept, never changed. */
  task_happenings: {
    workspace_sid: string
    at: number
    /** The event's name. */
    kind: string
    /** Where the task stood; of `task-queue.moved`, the queue it left. */
    task_queue_sid: string | null
    workflow_sid: string | null
    /** Whose offer it was. */
    worker_sid: string | null
    task_channel_sid: string
    /** How old the task was when it was accepted or canceled, in milliseconds. */
    waited: number | null
    /** How long it had been in its queue when it was accepted, in milliseconds. */
    queued: number | null
  }
  /** A worker was in an activity, from when to when. The stay they are in now is not here but on their row. */
  worker_stays: {
    workspace_sid: string
    worker_sid: string
    activity_sid: string
    started_at: number
    ended_at: number
  }
}

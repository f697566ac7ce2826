/**
 * What TaskRouter's statistics have in common: what they are asked with, and the numbers they give. Real-time numbers
 * tell what is now; cumulative ones tell what happened from one moment to another. Durations and ages are in whole
 * seconds. Where both are asked for at once, the answer has each as one object.
 */
import { instant, jsonObject, many, orNull, sid, text, whole } from '../field.ts'

/** How far back statistics go, in days, as with Twilio. */
export const STATISTICS_DAYS = 30

/** The window looked at unless another is asked for, in minutes, as with Twilio. */
export const STATISTICS_MINUTES = 15

/** The most thresholds in one `SplitByWaitTime`: each is counted by itself. */
export const SPLITS_MAX = 20

/** The most queues that may be asked about at once, as with Twilio. */
export const BULK_QUEUES_MAX = 50

/** From `StartDate`, or `Minutes` before the end, to `EndDate`, or now; both ends count. */
export const windowForm = {
  Minutes: whole({ min: 1, max: STATISTICS_DAYS * 24 * 60 }),
  StartDate: instant(),
  EndDate: instant(),
}

/** A task channel's SID or unique name. */
export const channelForm = { TaskChannel: text() }

/** `5,30`: thresholds in seconds. */
export const splitForm = { SplitByWaitTime: text() }

/** The whole of what was asked about. */
export const both = { realtime: jsonObject(), cumulative: jsonObject() }

/** The tasks that are not over. */
export const tasksNow = {
  longest_task_waiting_age: whole(),
  longest_task_waiting_sid: orNull(sid('WT')),
  tasks_by_priority: jsonObject(),
  tasks_by_status: jsonObject(),
  total_tasks: whole(),
}

/** Of a queue also who has waited longest since they came to it. */
export const relativeWait = {
  longest_relative_task_age_in_queue: whole(),
  longest_relative_task_sid_in_queue: orNull(sid('WT')),
}

/** `[{ friendly_name, sid, workers }]` */
export const activitiesNow = { activity_statistics: many(jsonObject()) }

export const workersOfQueueNow = { total_available_workers: whole(), total_eligible_workers: whole() }

export const windowAnswered = { start_time: instant(), end_time: instant() }

export const reservationsCounted = {
  reservations_created: whole(),
  reservations_accepted: whole(),
  reservations_rejected: whole(),
  reservations_timed_out: whole(),
  reservations_canceled: whole(),
  reservations_rescinded: whole(),
}

/** `split_by_wait_time` is null unless it was asked for. */
export const tasksCounted = {
  avg_task_acceptance_time: whole(),
  ...windowAnswered,
  ...reservationsCounted,
  split_by_wait_time: orNull(jsonObject()),
  wait_duration_until_accepted: jsonObject(),
  wait_duration_until_canceled: jsonObject(),
  tasks_canceled: whole(),
  tasks_completed: whole(),
  tasks_deleted: whole(),
  tasks_moved: whole(),
}

/** `activity_durations`: `[{ sid, friendly_name, avg, min, max, total }]` */
export const workersCounted = {
  ...windowAnswered,
  activity_durations: many(jsonObject()),
  ...reservationsCounted,
}

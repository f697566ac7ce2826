/** The sentence an answer begins with: where a task is and why, what a worker is doing and what could reach them. */
import { OBSTACLES, type Obstacle } from '@parley/contract/parley/explanation.ts'
import type { StoredReservation, StoredTask, StoredWorker } from '../../store/tables/taskrouter.ts'
import type { Seen } from './considered.ts'

/**
 * @param live the task's reservations that have not ended
 * @param knownWorker the name of the one worker who may take it; null where they are gone
 * @param transfer the names of who gives it to whom
 */
export const taskSummary = (
  task: StoredTask,
  {
    live,
    seen,
    knownWorker,
    transfer,
  }: {
    live: readonly StoredReservation[]
    seen: Seen
    knownWorker: string | null | undefined
    transfer: { readonly from: string; readonly to: string; readonly type: 'WORKER' | 'QUEUE' } | undefined
  },
): string => {
  if (task.assignment_status === 'assigned' || task.assignment_status === 'wrapping')
    return whoHas(task, live)
  if (task.assignment_status === 'completed' || task.assignment_status === 'canceled')
    return `It is ${task.assignment_status}${task.reason ? `: ${task.reason}` : ''}.`
  const queue = task.task_queue_friendly_name
  const where = transfer
    ? `It is being transferred from ${transfer.from} to ${transfer.to}`
    : `It waits${queue === null ? '' : ` in ${queue}`}`
  const offered = live.filter((it) => it.reservation_status === 'pending')
  if (transfer?.type === 'WORKER') return `${where}, who may answer.`
  if (offered.length) return `${where} and is offered to ${listed(offered)}, who may answer.`
  if (knownWorker === null) return `${where} for a worker who is not there any more.`
  if (knownWorker !== undefined) return `${where} for ${knownWorker} alone, who ${whetherOne(seen)}`
  if (seen.total === 0) return `${where}, and there is no worker.`
  const { length } = seen.workers
  if (length === 0) return `${where}; there are no more workers to consider.`
  if (seen.total === 1) return `${where}; the one worker there is ${whetherOne(seen)}`
  const workers = `the ${length} workers considered${seen.total > length ? `, of ${seen.total},` : ''}`
  if (seen.free) return `${where}; ${seen.free} of ${workers} can take it in its turn.`
  return `${where}; none of ${workers} can take it: ${why(seen, (count, it) => `${count} ${it}`)}.`
}

const whoHas = (task: StoredTask, live: readonly StoredReservation[]): string => {
  const accepted = live.filter((it) => it.reservation_status === 'accepted')
  const wrapping = live.filter((it) => it.reservation_status === 'wrapping')
  const parts = [
    ...(accepted.length ? [`${listed(accepted)} ${accepted.length > 1 ? 'have' : 'has'} it`] : []),
    ...(wrapping.length ? [`${listed(wrapping)} ${wrapping.length > 1 ? 'wrap' : 'wraps'} it up`] : []),
  ]
  return parts.length ? `${parts.join('; ')}.` : `It is ${task.assignment_status}.`
}

const IN_A_SUMMARY: Readonly<Record<Obstacle, string>> = {
  offered: 'asked already',
  has_it: 'with it in hand',
  others_offered: 'while others are asked',
  known_worker: 'not the one it is for',
  queue: 'not in the queue',
  target: "outside the target's expression",
  activity: 'not available',
  busy: 'with another task',
  channel_unavailable: 'with the task channel switched off',
  capacity: 'with no capacity left',
  refused: 'having refused it a moment ago',
}

const whetherOne = (seen: Seen): string =>
  seen.free ? 'can take it in its turn.' : `cannot take it: ${why(seen, (_, it) => it)}.`

const why = ({ counts }: Seen, say: (count: number, what: string) => string): string =>
  (Object.keys(OBSTACLES) as Obstacle[])
    .flatMap((it) => {
      const count = counts.get(it)
      return count ? [say(count, IN_A_SUMMARY[it])] : []
    })
    .join(', ')

/** @param lines the tasks that wait, by who could take them */
export const workerSummary = (
  worker: StoredWorker,
  live: readonly StoredReservation[],
  lines: readonly { readonly can_take: boolean; readonly waiting: number }[],
): string => {
  const offers = live.filter((it) => it.reservation_status === 'pending').length
  const doing =
    `${worker.friendly_name} is ${worker.activity_name ?? 'in no activity'} with ${live.length - offers} in hand` +
    (offers ? ` and ${offers === 1 ? 'an offer' : `${offers} offers`} to answer` : '')
  const count = (those: typeof lines) => those.reduce((sum, it) => sum + it.waiting, 0)
  const all = count(lines)
  const open = count(lines.filter((it) => it.can_take))
  if (all === 0) return `${doing}; no task waits.`
  if (all === 1)
    return `${doing}; one task waits and ${open ? 'can reach them in its turn' : 'cannot reach them'}.`
  if (open === 0) return `${doing}; of the ${all} tasks that wait, none can reach them.`
  return `${doing}; ${open} of the ${all} tasks that wait can reach them in their turn.`
}

const LIST = new Intl.ListFormat('en-GB')

/** The names of those who have these reservations. */
export const listed = (those: readonly StoredReservation[]): string =>
  LIST.format(those.map((it) => it.worker_name))

/** Every state that was told of, and whether each came legally of the one before. */
import type { Event } from '@parley/contract/event.ts'
import type { ReservationRow } from '@parley/contract/taskrouter/reservation.ts'
import type { TaskRow } from '@parley/contract/taskrouter/task.ts'
import type { TransferRow } from '@parley/contract/taskrouter/transfer.ts'
import { Broken } from './broken.ts'
import type { Moment } from './moment.ts'

const TASK_MOVES = [
  ...['pending reserved', 'pending canceled', 'reserved pending', 'reserved assigned', 'reserved canceled'],
  ...['assigned wrapping', 'assigned completed', 'wrapping completed'],
]

/** Of a task that is being transferred: it is offered again, and goes back to whoever still has it. */
const TASK_MOVES_IN_TRANSFER = [
  ...['assigned pending', 'assigned reserved'],
  ...['pending assigned', 'pending wrapping', 'reserved wrapping'],
]

const RESERVATION_MOVES = [
  ...['pending accepted', 'pending rejected', 'pending timeout', 'pending canceled', 'pending rescinded'],
  ...['accepted wrapping', 'accepted completed', 'wrapping completed'],
]

/** One to a queue does not fail: the next is asked. */
const TRANSFER_MOVES = {
  WORKER: ['initiated complete', 'initiated failed', 'initiated canceled'],
  QUEUE: ['initiated complete', 'initiated canceled'],
} as const

interface About {
  readonly task?: TaskRow
  readonly reservation?: ReservationRow
  readonly transfer?: TransferRow
}

type What = 'task' | 'reservation' | 'transfer'

export class Moves {
  readonly #known: Readonly<Record<What, Map<string, string>>> = {
    task: new Map(),
    reservation: new Map(),
    transfer: new Map(),
  }
  /** Tasks with a transfer under way. */
  readonly #given = new Set<string>()

  saw(event: Event): void {
    const { task, reservation, transfer } = event as About
    if (transfer && event.name.startsWith('task.transfer-')) {
      const { sid, transfer_status: status, transfer_type: type } = transfer
      if (status === 'initiated') {
        this.#known.transfer.set(sid, status)
        this.#given.add(transfer.task_sid)
      } else this.#saw('transfer', sid, status, TRANSFER_MOVES[type], 'initiated')
    }
    if (task) {
      const moves = this.#given.has(task.sid) ? [...TASK_MOVES, ...TASK_MOVES_IN_TRANSFER] : TASK_MOVES
      this.#saw('task', task.sid, task.assignment_status, moves)
    }
    if (transfer && event.name.startsWith('task.transfer-') && transfer.transfer_status !== 'initiated')
      this.#given.delete(transfer.task_sid)
    if (reservation)
      this.#saw('reservation', reservation.sid, reservation.reservation_status, RESERVATION_MOVES)
    // What is gone need not be remembered.
    if (task && (event.name === 'task.deleted' || event.name === 'task.system-deleted'))
      this.#known.task.delete(task.sid)
  }

  #saw(what: What, sid: string, status: string, legal: readonly string[], first = 'pending'): void {
    const before = this.#known[what].get(sid) ?? first
    this.#known[what].set(sid, status)
    if (before !== status && !legal.includes(`${before} ${status}`))
      throw new Broken('legal moves', `${what} ${sid} went from ${before} to ${status}`)
  }

  /** The rows say what was told. */
  mustBe({ all }: Moment): void {
    for (const it of all.tasks) this.#same('task', it.sid, it.assignment_status)
    for (const it of all.reservations) this.#same('reservation', it.sid, it.reservation_status)
    for (const it of all.transfers) this.#same('transfer', it.sid, it.transfer_status)
  }

  #same(what: What, sid: string, status: string): void {
    const told = this.#known[what].get(sid)
    if (told !== status)
      throw new Broken('legal moves', `${what} ${sid} is ${status} and was told to be ${told}`)
  }
}

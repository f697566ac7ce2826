/** What agents have in hand, as the world outside knows it: from what was told. */
import type { Event } from '@parley/contract/event.ts'
import type { Chance } from './chance.ts'
import type { Row } from './stage.ts'

/** Of a hundred tasks, how many are given to another. */
const GIVEN = { small: 40, large: 5 }

export interface Held {
  readonly sid: string
  readonly taskSid: string
  readonly workerSid: string
  status: string
  readonly at: number
  /** What the agent will do about the offer, and when; and how long the work takes. */
  readonly plan: 'accept' | 'reject' | 'ignore'
  readonly answersAt: number
  endsAt: number
  /** When they would rather that another had it. */
  givesAt: number
  /** Where they have given it away. */
  given: { readonly transferSid: string; readonly takesBackAt: number } | undefined
}

export class Hands {
  /** Tasks that nobody has accepted, or that are being given away. */
  readonly live = new Set<string>()
  tasks = 0
  reservations = 0
  readonly #chance: Chance
  readonly #given: number
  readonly #held = new Map<string, Held>()

  constructor(chance: Chance, size: 'small' | 'large') {
    this.#chance = chance
    this.#given = GIVEN[size]
  }

  get all(): Iterable<Held> {
    return this.#held.values()
  }

  hear(event: Event): void {
    const { task, reservation } = event as { task?: Row; reservation?: Row }
    if (task) {
      if (event.name === 'task.created') this.tasks += 1
      const isGone = event.name === 'task.deleted' || event.name === 'task.system-deleted'
      if (!isGone && ['pending', 'reserved'].includes(String(task.assignment_status))) this.live.add(task.sid)
      else this.live.delete(task.sid)
    }
    if (!reservation) return
    const status = String(reservation.reservation_status)
    const before = this.#held.get(reservation.sid)
    if (event.name === 'reservation.created') {
      this.reservations += 1
      this.#held.set(reservation.sid, this.#anew(reservation, event.at))
    } else if (['accepted', 'wrapping'].includes(status) && before) before.status = status
    else this.#held.delete(reservation.sid)
  }

  #anew(reservation: Row, at: number): Held {
    const chance = this.#chance
    const plan = chance.percent(78) ? 'accept' : chance.percent(55) ? 'reject' : 'ignore'
    const answersAt = at + chance.int(500, 30_000)
    return {
      sid: reservation.sid,
      taskSid: String(reservation.task_sid),
      workerSid: String(reservation.worker_sid),
      status: 'pending',
      at,
      plan,
      answersAt,
      endsAt: answersAt + chance.int(60_000, 900_000),
      givesAt: chance.percent(this.#given)
        ? answersAt + chance.int(1_000, 120_000)
        : Number.POSITIVE_INFINITY,
      given: undefined,
    }
  }
}

/** Priority and age: whom the tasks of a run were given to, while others waited that came first. */
import type { Event } from '@parley/contract/event.ts'
import type { Tx } from '../../src/store/tx.ts'
import { readEverything } from '../taskrouter/agreement.ts'
import { Broken } from './broken.ts'
import { type Known, Moment } from './moment.ts'
import { isDue, type Stage } from './stage.ts'

/** The jobs that change who could be given what. */
const CHANGING = [
  'step',
  'task-timeout',
  'reservation-timeout',
  're-evaluate',
  'queue-changed',
  'activity-renamed',
  'worker-gone',
].map((it) => `taskrouter.${it}`)

/** What one of them does meanwhile may overtake an offer, and then the next in turn has its worker. */
export const isMoreDueThanRouting = (stage: Stage): Promise<boolean> => isDue(stage.reader, CHANGING)

export class Order {
  #since: number | undefined
  #passed: { readonly before: string; readonly task: string; readonly worker: string }[] = []

  /** From now on nothing happens but routing and what is due. */
  watch(now: number): void {
    this.#since = now
    this.#passed = []
  }

  rest(): void {
    this.#since = undefined
  }

  /** A task is being given to a worker: which of those that wait and come first could the worker have had? */
  async note(tx: Tx, event: Event, known: Known): Promise<void> {
    if (this.#since === undefined || event.name !== 'reservation.created') return
    const moment = new Moment(await readEverything(tx), tx.now(), known)
    const { sid, worker_sid } = event.reservation
    const task = moment.taskOf(event.task.sid)
    const worker = moment.all.workers.find((it) => it.sid === worker_sid)
    if (!task || !worker || moment.isRegardless(task)) return
    for (const it of moment.waiting) {
      const untouched = it.date_updated < this.#since && (it.target_since ?? 0) < this.#since
      if (it.sid === task.sid || !untouched || !moment.isBefore(it, task)) continue
      if (moment.couldBeGiven(worker, it, sid))
        this.#passed.push({ before: it.sid, task: task.sid, worker: worker.friendly_name })
    }
  }

  /** @throws Broken where one of those still waits */
  async mustHold(stage: Stage, known: Known): Promise<void> {
    if (!this.#passed.length) return
    const waiting = new Map(
      new Moment(await readEverything(stage.reader), stage.now(), known).waiting.map((it) => [it.sid, it]),
    )
    for (const { before, task, worker } of this.#passed) {
      const it = waiting.get(before)
      if (it && it.date_updated < (this.#since ?? 0) && (it.target_since ?? 0) < (this.#since ?? 0))
        throw new Broken('order', `${worker} was given ${task}, and ${before} comes first and waits`)
    }
  }
}

/** What one connection may ask at once: a few things run, a bounded number waits its turn, in the order it came. */

export interface LaneBounds {
  readonly running: number
  readonly waiting: number
  /** Of what waits, in all. */
  readonly waitingBytes: number
}

interface Work {
  readonly bytes: number
  readonly run: () => Promise<void>
}

export class Lane {
  readonly #bounds: LaneBounds
  #running = 0
  #waiting: Work[] = []
  #waitingBytes = 0
  #idle: PromiseWithResolvers<void> | undefined

  constructor(bounds: LaneBounds) {
    this.#bounds = bounds
  }

  /**
   * @param work its `run` must not reject
   * @returns false when more would wait than is allowed; the work is then not taken
   */
  take(work: Work): boolean {
    if (this.#running < this.#bounds.running) {
      this.#start(work)
      return true
    }
    if (this.#waiting.length >= this.#bounds.waiting) return false
    if (this.#waitingBytes + work.bytes > this.#bounds.waitingBytes) return false
    this.#waiting.push(work)
    this.#waitingBytes += work.bytes
    return true
  }

  /** What waits is not begun any more. Resolves when nothing runs. */
  stop(): Promise<void> {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#idle ??= Promise.withResolvers()
    if (this.#running === 0) this.#idle.resolve()
    return this.#idle.promise
  }

  #start({ run }: Work): void {
    this.#running += 1
    void run().finally(() => {
      this.#running -= 1
      const next = this.#waiting.shift()
      if (next) {
        this.#waitingBytes -= next.bytes
        this.#start(next)
      } else if (this.#running === 0) this.#idle?.resolve()
    })
  }
}

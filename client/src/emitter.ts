/** Events with types: a name leads to what its listeners are given. */

export type Listener<Args extends readonly unknown[]> = (...args: Args) => void

export class Emitter<Events extends Record<keyof Events, readonly unknown[]>> {
  readonly #listeners = new Map<keyof Events, Set<Listener<readonly unknown[]>>>()

  /** @returns what ends the listening */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const those = this.#listeners.get(name) ?? new Set()
    // A function of its own, so that the same listener may be there twice.
    const one: Listener<readonly unknown[]> = (...args) => listener(...(args as unknown as Events[Name]))
    this.#listeners.set(name, those.add(one))
    return () => void those.delete(one)
  }

  /** A listener that throws stops none of the others, and is told of as any uncaught fault is. */
  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])])
      try {
        listener(...args)
      } catch (fault) {
        queueMicrotask(() => {
          throw fault
        })
      }
  }
}

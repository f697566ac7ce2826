/** What is said after commit, to whoever listens. A notice is a hint: the rows are the truth. */
export interface Bus extends AsyncDisposable {
  publish(topic: string, about: unknown): void
  /** @returns what ends it */
  subscribe(topic: string, hear: (about: unknown) => void): () => void
  /** Hears that something may have been said that did not arrive here. */
  onMissed(hear: () => void): void
  /** Says so. */
  missed(): void
}

/** The bus of one process. */
export const openBus = (): Bus => {
  const listeners = new Map<string, Set<(about: unknown) => void>>()
  const gaps = new Set<() => void>()
  return {
    publish: (topic, about) => {
      for (const hear of listeners.get(topic) ?? []) hear(about)
    },
    subscribe: (topic, hear) => {
      const those = listeners.get(topic) ?? new Set()
      listeners.set(topic, those.add(hear))
      return () => those.delete(hear)
    },
    onMissed: (hear) => {
      gaps.add(hear)
    },
    missed: () => {
      for (const hear of gaps) hear()
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

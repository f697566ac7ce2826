/** What is said after commit, to whoever listens in this process. A notice is a hint: the rows are the truth. */
export interface Bus {
  publish(topic: string, about: unknown): void
  subscribe(topic: string, hear: (about: unknown) => void): () => void
}

export const openBus = (): Bus => {
  const listeners = new Map<string, Set<(about: unknown) => void>>()
  return {
    publish: (topic, about) => {
      for (const hear of listeners.get(topic) ?? []) hear(about)
    },
    subscribe: (topic, hear) => {
      const those = listeners.get(topic) ?? new Set()
      listeners.set(topic, those.add(hear))
      return () => those.delete(hear)
    },
  }
}

/** What the house itself keeps: which migrations ran, and the work that is due. */
export interface HouseTables {
  migrations: { name: string; ran_at: number }
  jobs: {
    sid: string
    kind: string
    /** One job of a kind and key: a later one replaces an earlier. */
    key: string
    /** Jobs of one lane run a bounded number at a time, so that a sick lane slows only itself. */
    lane: string
    data: string
    due_at: number
    /** Until when whoever runs it may; null when nobody does. */
    leased_until: number | null
    attempts: number
    last_error: string | null
    /** Grows each time the job is set anew, so that a run that ends late does not wipe a newer wish. */
    version: number
  }
}

/** What was recorded, told in the order in which it was done. */
import type { Event } from '@parley/contract/event.ts'

type Events = readonly Event[]

export interface InOrder {
  /** A transaction is about to be committed, and holds all that it has locked. */
  done(events: Events): void
  /** It is committed. */
  committed(events: Events): void
  /** No transaction is under way any more: one that was not committed is undone. */
  rest(): void
}

/**
 * PostgreSQL lets go of a row before it says that whoever held it is committed: whoever waited for the row may be
 * committed, and say so, before that is heard.
 */
export const inOrder = (tell: (events: Events) => void): InOrder => {
  let waiting: { readonly events: Events; isCommitted: boolean }[] = []
  const goOn = (): void => {
    for (let first = waiting[0]; first?.isCommitted; first = waiting[0]) {
      waiting.shift()
      tell(first.events)
    }
  }
  return {
    done: (events) => void waiting.push({ events, isCommitted: false }),
    committed: (events) => {
      const it = waiting.find((one) => one.events === events)
      if (it) it.isCommitted = true
      goOn()
    },
    rest: () => {
      waiting = waiting.filter((it) => it.isCommitted)
      goOn()
    },
  }
}

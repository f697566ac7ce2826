/**
 * A store that does one thing after the other, each in a turn of the event loop of its own. Engines answer in times of
 * their own; here whoever waits for an answer goes on before the next is given, so what happens is the same on each.
 */
import type { Store, Tx } from '../../src/store/tx.ts'

export const inTurns = (store: Store): Store => {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = last.then(ask)
    last = answer.then(nextTurn, nextTurn)
    return answer
  }
  const { dialect, reader } = store
  return {
    dialect,
    reader: {
      dialect,
      now: () => reader.now(),
      unseal: (sealed) => reader.unseal(sealed),
      run: (statement, values) => inTurn(() => reader.run(statement, values)),
    },
    transact: (verb, run) =>
      inTurn(() => store.transact(verb, verb === CLAIM ? (tx) => run(oldestFirst(tx)) : run)),
    ping: () => store.ping(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

const nextTurn = () => new Promise((turn) => setImmediate(turn))

/** The runner's transaction that takes what is due. */
const CLAIM = 'claim jobs'

interface Due {
  readonly sid: string
  readonly due_at: number
}

/** Of jobs that are due in one moment each engine gives first what it likes. */
const oldestFirst = (tx: Tx): Tx => ({
  dialect: tx.dialect,
  writes: true,
  verb: tx.verb,
  now: () => tx.now(),
  unseal: (sealed) => tx.unseal(sealed),
  run: async (statement, values) => {
    const { rows, changed } = await tx.run(statement, values)
    const inOrder = (rows as Due[]).toSorted((a, b) => a.due_at - b.due_at || (a.sid < b.sid ? -1 : 1))
    return { rows: inOrder, changed }
  },
  newSid: (prefix) => tx.newSid(prefix),
  seal: (plain) => tx.seal(plain),
  newSecret: (digits) => tx.newSecret(digits),
  record: (event) => tx.record(event),
  notice: (notice) => tx.notice(notice),
  savepoint: (part) => tx.savepoint(part),
})

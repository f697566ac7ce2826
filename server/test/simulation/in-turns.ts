/**
 * A store that does one thing after the other, each in a turn of the event loop of its own. Engines answer in times of
 * their own; here whoever waits for an answer goes on before the next is given, so what happens is the same on each.
 */
import type { Store } from '../../src/store/tx.ts'

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
    transact: (verb, run) => inTurn(() => store.transact(verb, run)),
    ping: () => store.ping(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

const nextTurn = () => new Promise((turn) => setImmediate(turn))

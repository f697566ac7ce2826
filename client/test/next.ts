/** Waiting for what a client of ours tells. */

/**
 * How long something that must happen may take, in milliseconds: more than the longest pause between two attempts to
 * connect, on a machine that is busy with other things.
 */
export const PATIENCE_MS = 60_000

interface Tells<Events extends Listened<Events>> {
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void
}

type Listened<Events> = { readonly [Name in keyof Events]: unknown[] }

/** For the clients that tell these events: the next of a name for which `fits` holds; ask before what causes it. */
export const nextAmong =
  <Events extends Listened<Events>>() =>
  <Name extends keyof Events>(
    client: Tells<Events>,
    name: Name,
    fits: (...args: Events[Name]) => boolean = () => true,
  ): Promise<Events[Name][0]> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        off()
        reject(new Error(`${String(name)} did not come in ${PATIENCE_MS} ms`))
      }, PATIENCE_MS)
      const off = client.on(name, (...args) => {
        if (!fits(...args)) return
        clearTimeout(late)
        off()
        resolve(args[0])
      })
    })

interface Connects {
  readonly state: string
  on(name: 'stateChanged', listener: () => void): () => void
}

/** Until so many of them, or all, are connected at once. */
export const untilConnected = (clients: readonly Connects[], count = clients.length): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (then: () => void): void => {
      clearTimeout(late)
      for (const end of ends) end()
      then()
    }
    const connected = () => clients.filter((it) => it.state === 'connected').length
    const late = setTimeout(() => {
      done(() => reject(new Error(`${connected()} of ${count} were connected after ${PATIENCE_MS} ms`)))
    }, PATIENCE_MS)
    const check = () => {
      if (connected() >= count) done(resolve)
    }
    const ends = clients.map((it) => it.on('stateChanged', check))
    check()
  })

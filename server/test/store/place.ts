/** Where a store of the contract is: a database of its own, opened as often as a test likes. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newSealKey } from '../../src/accounts/seal.ts'
import { newVault } from '../../src/accounts/vault.ts'
import { openStore, type StoreOptions, type Where } from '../../src/store/open.ts'
import type { Store } from '../../src/store/tx.ts'
import { openPostgres } from '../world/postgres.ts'

export type Engine = 'memory' | 'disk' | 'postgres'

export interface Place {
  readonly engine: Engine
  readonly where: Where
  /** What stores of this place had nobody to tell. */
  readonly faults: Error[]
  /** Opens the database, where it is or by another way there; in memory each time another. All are closed with the place. */
  open(options?: Partial<StoreOptions>, way?: Where): Promise<Store>
  [Symbol.asyncDispose](): Promise<void>
}

export type OpenPlace = () => Promise<Place>

export const openPlace = async (engine: Engine): Promise<Place> => {
  const things = new AsyncDisposableStack()
  const where = await whereFor(engine, things)
  const vault = newVault(newSealKey())
  const faults: Error[] = []
  return {
    engine,
    where,
    faults,
    open: async (options, way = where) => {
      const onFault = (fault: Error) => faults.push(fault)
      return things.use(await openStore(way, { vault, onFault, ...options }))
    },
    [Symbol.asyncDispose]: () => things.disposeAsync(),
  }
}

const whereFor = async (engine: Engine, things: AsyncDisposableStack): Promise<Where> => {
  if (engine === 'memory') return { kind: 'memory' }
  if (engine === 'postgres') return { kind: 'postgres', url: things.use(await openPostgres()).url }
  const folder = await mkdtemp(join(tmpdir(), 'parley-store-'))
  things.defer(() => rm(folder, { recursive: true, force: true }))
  return { kind: 'folder', folder }
}

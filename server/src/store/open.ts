/** The store that the settings ask for, migrated and ready. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tellSparingly } from './away.ts'
import { migrate } from './migrate.ts'
import { openPostgres } from './postgres.ts'
import { realNature } from './sid.ts'
import { openSqlite } from './sqlite.ts'
import type { Handed, Hooks, Store } from './tx.ts'

export type Where =
  | { readonly kind: 'memory' }
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'postgres'; readonly url: string }

const quiet: Hooks = { react: async () => {}, committed: () => {} }

export interface StoreOptions extends Partial<Omit<Handed, 'vault'>>, Pick<Handed, 'vault'> {
  /** Hears, and that not too often, that the database is away, and of what breaks where nobody waits for an answer. */
  readonly onFault?: (fault: Error) => void
}

export const openStore = async (
  where: Where,
  { vault, hooks = quiet, nature = realNature, onFault = () => {} }: StoreOptions,
): Promise<Store> => {
  const told = tellSparingly(onFault, nature)
  let isOpen = false
  const store = open(where, { hooks, nature, vault }, (fault) => {
    // Before, whoever opens it is thrown what is wrong.
    if (isOpen) told(fault)
  })
  try {
    await migrate(store)
    isOpen = true
    return store
  } catch (fault) {
    await store[Symbol.asyncDispose]()
    throw fault
  }
}

const open = (where: Where, handed: Handed, onFault: (fault: Error) => void): Store => {
  if (where.kind === 'postgres') return openPostgres(where.url, handed, onFault)
  if (where.kind === 'memory') return openSqlite(undefined, handed, onFault)
  mkdirSync(where.folder, { recursive: true, mode: 0o700 })
  return openSqlite(join(where.folder, 'parley.db'), handed, onFault)
}

/**
 * Activities, queues, workflows and task channels, which others point at. Whoever begins to point at one holds it until
 * the transaction ends; whoever deletes one locks it and only then looks who points at it. So nothing ever points at
 * what is gone, however close the two come. Nor is anything made by what a row said before it changed, and missed by
 * whoever goes on to see what the change means for all that point at it.
 */
import type { Selectable } from 'kysely'
import { type Reading, reading } from '../store/query.ts'
import type { Tables } from '../store/tables.ts'
import type { Tx } from '../store/tx.ts'

type Table = 'activities' | 'task_channels' | 'task_queues' | 'workflows'

interface At {
  readonly sid: string
  readonly workspaceSid: string
}

// biome-ignore lint/suspicious/noExplicitAny: a generic table is beyond what the builder's types can follow
type AnyDb = any

const question = (table: Table, how: 'hold' | 'lock'): Reading<At, unknown> =>
  reading((db: AnyDb, at: At, dialect) => {
    const own: AnyDb = db.selectFrom(table).selectAll().where('workspace_sid', '=', at.workspaceSid)
    const one = own.where('sid', '=', at.sid)
    return how === 'hold' ? dialect.hold(one) : dialect.lock(one)
  })

const questions = (how: 'hold' | 'lock'): Readonly<Record<Table, Reading<At, unknown>>> => ({
  activities: question('activities', how),
  task_channels: question('task_channels', how),
  task_queues: question('task_queues', how),
  workflows: question('workflows', how),
})

const holding = questions('hold')
const locking = questions('lock')

/** Finds a row of the workspace to point at. */
export const hold = async <T extends Table>(
  tx: Tx,
  table: T,
  at: At,
): Promise<Selectable<Tables[T]> | undefined> =>
  (await holding[table].first(tx, at)) as Selectable<Tables[T]> | undefined

/** Locks a row that is to be deleted: whoever holds it ends first. */
export const lockToDelete = async (tx: Tx, table: Table, at: At): Promise<void> => {
  await locking[table].first(tx, at)
}

/** Locks a row that is to be changed: whoever holds it ends first, and whoever would waits and reads it as it is then. */
export const lockToChange = lockToDelete

const lockChannels = reading((db, at: { workspaceSid: string }, dialect) =>
  dialect.lock(
    db.selectFrom('task_channels').select('sid').where('workspace_sid', '=', at.workspaceSid).orderBy('sid'),
  ),
)

/** Locks what every task of a workspace points at, so that none begins while it is deleted. */
export const lockAllToDelete = async (tx: Tx, workspaceSid: string): Promise<void> => {
  await lockChannels.all(tx, { workspaceSid })
}

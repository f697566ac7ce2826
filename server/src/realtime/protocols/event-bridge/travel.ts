/**
 * What is told, on its way to other nodes. The bus takes some 7,900 bytes: what is longer leaves its attributes behind,
 * which are the only long thing in it, and the other side reads them from the rows.
 */
import { find } from '../../../store/rows.ts'
import type { Reader } from '../../../store/tx.ts'
import type { Shown } from './shown.ts'
import type { Told } from './told.ts'

/** What may go over the bus whole, in bytes, with room for the rest of the notice. */
const WHOLE_BYTES_MAX = 6_000

interface Travelling {
  readonly told: Told
  /** Its attributes were left behind. */
  readonly isCut: boolean
}

export const forBus = (told: Told): Travelling => {
  if (Buffer.byteLength(JSON.stringify(told)) <= WHOLE_BYTES_MAX) return { told, isCut: false }
  const { task } = told.payload
  const payload = task ? { ...told.payload, task: without(task as Shown) } : without(told.payload)
  return { told: { ...told, payload }, isCut: true }
}

const without = (shown: Shown): Shown => ({ ...shown, attributes: '{}' })

/** What another node told; where the row is gone meanwhile, with no attributes. */
export const fromBus = async (reader: Reader, about: unknown): Promise<Told> => {
  const { told, isCut } = about as Travelling
  if (!isCut) return told
  const { task } = told.payload
  const sid = String((task as Shown | undefined)?.sid ?? told.payload.sid)
  const row = await find(reader, sid.startsWith('WK') ? 'workers' : 'tasks', { sid })
  const attributes = row?.attributes ?? '{}'
  const payload = task
    ? { ...told.payload, task: { ...(task as Shown), attributes } }
    : { ...told.payload, attributes }
  return { ...told, payload }
}

/** Memory of an idle house. */
import { newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'

const MB_MAX = 150

/** Long enough for the start's garbage to be collected, in milliseconds. */
const IDLE_MS = 5_000

export const memoryRow = async (): Promise<Row> => {
  await using folder = await newFolder()
  await using parley = await openParley(folder.path)
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const mb = parley.memoryMb()
  return {
    what: 'memory, idle',
    ours: `${Math.round(mb)} MB`,
    ceiling: '',
    ratio: mb / MB_MAX,
    budget: `< ${MB_MAX} MB`,
    holds: mb < MB_MAX,
    numbers: { mb },
  }
}

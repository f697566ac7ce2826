/** Memory of an idle house, started for the second time: a first start compiles, which costs it some 20 MB more. */
import { newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'

const MB_MAX = 150

/** Long enough for the start's garbage to be collected, in milliseconds. */
const IDLE_MS = 5_000

const measure = async (folder: string): Promise<number> => {
  await using parley = await openParley(folder)
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  return parley.memoryMb()
}

export const memoryRow = async (): Promise<Row> => {
  await using folder = await newFolder()
  const first = await measure(folder.path)
  const mb = await measure(folder.path)
  return {
    what: 'memory, idle',
    ours: `${Math.round(mb)} MB (${Math.round(first)} MB at the first start)`,
    ceiling: '',
    ratio: mb / MB_MAX,
    budget: `< ${MB_MAX} MB`,
    holds: mb < MB_MAX,
    numbers: { mb, first },
  }
}

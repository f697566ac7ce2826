import type { World } from '../world/index.ts'
import type { Witness } from './witness.ts'

/** What somebody does with the published client; each answer on the way is held against the published documents. */
export interface Story {
  readonly name: string
  readonly tell: (witness: Witness, world: World) => Promise<void>
}

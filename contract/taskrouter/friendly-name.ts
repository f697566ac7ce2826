/** What everything in TaskRouter is called by. */
import { text } from '../field.ts'

/** Longest name, in characters: more would fit no console. */
const FRIENDLY_NAME_MAX = 256

/** A name, never empty: what has none could be found by nobody. */
export const friendlyName = () => text({ max: FRIENDLY_NAME_MAX, empty: 'missing_parameter' })

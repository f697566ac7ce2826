/**
 * `npm start`. What was compiled once is kept: the next start is faster, and types need not be dropped again.
 *
 * Plain JavaScript: to drop the types of even one file Node loads a compiler that holds 18 MB for as long as the
 * process lives.
 */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./start.ts')

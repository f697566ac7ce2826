/** `npm start`. What was compiled once is kept: the next start is faster, and types need not be dropped again. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./start.ts')

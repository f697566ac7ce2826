/** Where the tests of this clone, run by this user, keep their PostgreSQL server. */
import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const clone = createHash('sha256')
  .update(import.meta.url)
  .digest('hex')
  .slice(0, 12)

/** Under the system's temporary folder: a clone may stand where the server's own user may not look. */
export const folder = (): string => join(tmpdir(), `parley-postgres-${userInfo().uid}-${clone}`)

/** Each connection to it is one database. Short: a socket's path has at most 104 bytes. */
export const socketPath = (): string => join(folder(), 'keeper.sock')

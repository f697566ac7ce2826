/** What the published client throws for a refusal. */
import assert from 'node:assert/strict'

/** For `assert.rejects`: the status, the code and, in its sentence, what it is about. */
export const refused = (status: number, code: number, about?: RegExp) => (fault: unknown) => {
  const it = fault as { status: number; code: number; message: string }
  assert.deepEqual([it.status, it.code], [status, code], it.message)
  if (about) assert.match(it.message, about)
  return true
}

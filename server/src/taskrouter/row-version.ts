/** The version of a row: its `ETag`, and the `If-Match` that names it. */
import { problem } from '@parley/contract/problem.ts'

interface Versioned {
  readonly version: number
}

/**
 * Holds `If-Match` against a row.
 * @throws 412 when the row has changed since the version named
 */
export const mustMatch = ({ ifMatch }: { ifMatch: string | undefined }, { version }: Versioned): void => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const named = ifMatch.split(',').map((it) => it.trim().replace(/^W\//, '').replaceAll('"', ''))
  if (!named.includes(String(version))) throw problem('precondition_failed')
}

export const sayVersion = (
  call: { say(header: string, value: string): void },
  { version }: Versioned,
): void => call.say('ETag', `"${version}"`)

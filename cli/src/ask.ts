/** Requests to the server, and what it refuses as one sentence. */

export interface Asking {
  readonly url: string
  readonly accountSid: string
  readonly authToken: string
}

/** The server said no, or nothing. */
export class Refused extends Error {}

type Answer = Readonly<Record<string, unknown>>

/** @throws Refused with the server's own sentence */
export const ask = async (
  { url, accountSid, authToken }: Asking,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  form?: Readonly<Record<string, string>>,
): Promise<Answer> => {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` },
    ...(form ? { body: new URLSearchParams(form) } : {}),
  }).catch((fault: Error) => {
    throw new Refused(
      `Nobody answers at ${url}: ${(fault.cause as Error | undefined)?.message ?? fault.message}`,
    )
  })
  const answer = response.status === 204 ? {} : ((await response.json()) as Answer)
  if (!response.ok) throw new Refused(`${answer.message} (${answer.code})`)
  return answer
}

/** Rows as a table with these columns. */
export const table = (rows: readonly Answer[], columns: readonly string[]): string => {
  const lines = [columns, ...rows.map((row) => columns.map((it) => String(row[it] ?? '')))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((it, at) => it.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

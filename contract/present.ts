/** Rows as the JSON that clients read. A resource's presenter is built once and only copies and converts. */
import type { Show } from './field.ts'
import { inColumns, type ResourceDeclaration } from './resource.ts'

export type Present = (row: Readonly<Record<string, unknown>>) => Record<string, unknown>

/** `2026-06-01T12:00:00Z`: whole seconds, as every REST answer has them. */
export const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

const shown: Record<Show, (stored: unknown, origin: string) => unknown> = {
  'as-is': (it) => it,
  instant: (it) => isoSeconds(it as number),
  flag: (it) => it === 1 || it === true,
  json: (it) => JSON.parse(it as string),
  'own-address': (it, origin) => `${origin}${it}`,
}

type Fill = (row: Readonly<Record<string, unknown>>) => string | null

/** `/v2/Services/{service_sid}` becomes a function of a row; a null column makes the whole address null. */
const addressTemplate = (origin: string, template: string): Fill => {
  const [first = '', ...rest] = template.split('{')
  const parts = rest.map((it) => it.split('}') as [column: string, after: string])
  return (row) => {
    let address = origin + first
    for (const [column, after] of parts) {
      const value = row[column]
      if (value === null || value === undefined) return null
      address += encodeURIComponent(String(value)) + after
    }
    return address
  }
}

/** @param origin our public address, without a slash at its end */
export const presenter = (it: ResourceDeclaration, origin: string): Present => {
  const template = it.url ?? it.one ?? it.many
  if (template === undefined) throw new Error(`${it.name} has no address`)
  const ownAddress = addressTemplate(
    origin,
    template.replace(/\{(\w+)\}/g, (_, name: string) => `{${inColumns(name)}}`),
  )
  const links = Object.entries(it.links ?? {}).map(
    ([name, link]) => [name, addressTemplate(origin, link)] as const,
  )
  const columns = Object.entries(it.answer)
    .filter(([name]) => name !== 'url' && name !== 'links')
    .map(([name, { shows }]) => [name, shown[shows], shows === 'as-is'] as const)
  const hasUrl = 'url' in it.answer
  return (row) => {
    const answer: Record<string, unknown> = {}
    for (const [name, show, asIs] of columns) {
      const stored = row[name]
      answer[name] = stored === null || stored === undefined ? null : asIs ? stored : show(stored, origin)
    }
    if (hasUrl) answer.url = ownAddress(row)
    if (links.length) {
      const filled: Record<string, unknown> = {}
      for (const [name, fill] of links) filled[name] = fill(row)
      answer.links = filled
    }
    return answer
  }
}

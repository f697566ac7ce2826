/** `docs/coverage.md`: every published operation and its state, made from the declarations and from what was seen. */

import { operationName, verbsOf } from '@parley/contract/resource.ts'
import type { Routes } from '../../src/http/binding.ts'
import { published } from './published.ts'

const TITLES: Readonly<Record<string, string>> = {
  flex_v1: 'flex v1',
  chat_v2: 'chat v2',
  taskrouter_v1: 'taskrouter v1',
  studio_v2: 'studio v2',
}

export const servedNames = ({ served }: Routes): Set<string> =>
  new Set(served.flatMap(({ resource }) => verbsOf(resource).map((verb) => operationName(resource, verb))))

export const unservedNames = ({ unserved }: Routes): Map<string, string> =>
  new Map(unserved.flatMap(({ operations, why }) => operations.map((it) => [it, why] as const)))

const HEAD = `# Coverage

Every operation that Twilio publishes for flex v1, chat v2, taskrouter v1 and studio v2, with its state here. Made by
\`npm run coverage\` from the declarations and the conformance tests; a test fails when it is out of date.
`

/** @param seen which stories of the conformance test an operation answered in */
export const coverageTable = (routes: Routes, seen: ReadonlyMap<string, ReadonlySet<string>>): string => {
  const served = servedNames(routes)
  const unserved = unservedNames(routes)
  const sections = Object.entries(TITLES).map(([product, title]) => {
    const those = published.filter((it) => it.product === product)
    const count = those.filter((it) => served.has(it.name)).length
    const lines = those
      .map(({ name }) => {
        const state = served.has(name)
          ? `served | ${[...(seen.get(name) ?? [])].sort()[0] ?? 'by no test'}`
          : `unserved | ${unserved.get(name) ?? 'not declared'}`
        return `| \`${name}\` | ${state} |`
      })
      .sort()
    return `## ${title}: ${count} of ${those.length} served

| operation | state | test, or why not |
|---|---|---|
${lines.join('\n')}
`
  })
  return `${HEAD}\n${sections.join('\n')}`
}

/** Writes `docs/settings.md` from what `server/src/settings.ts` declares: `npm run settings`. */
import { writeFileSync } from 'node:fs'
import { DECLARED, NOT_OF_THE_SERVER } from '../server/src/settings.ts'

export const PAGE = new URL('../docs/settings.md', import.meta.url)

/** A pipe would end the table's cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|')

const rows = Object.entries(DECLARED).map(
  ([name, { what, wants, otherwise }]) =>
    `| \`${name}\` | ${cell(what)} | ${cell(name === 'NATS_URL' ? '–' : wants)} | ${cell(otherwise)} |`,
)

/** The page as it should stand in the repository. */
export const settingsPage = (): string => `# Settings

Settings are environment variables. A wrong one stops the start with its name, its value and what would do; so does
a \`PARLEY_…\` that is none of these. An empty value counts as none given.

| setting | what it is | what it takes | otherwise |
|---|---|---|---|
${rows.join('\n')}

The tests alone read ${NOT_OF_THE_SERVER.map((name) => `\`${name}\``).join(', ')}: the browser to drive
(\`/usr/bin/chromium\` otherwise), a folder for pictures, whether to write the coverage table.

This page is written by \`npm run settings\` from \`server/src/settings.ts\`.
`

if (import.meta.main) writeFileSync(PAGE, settingsPage())

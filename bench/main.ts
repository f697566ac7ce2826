/**
 * `npm run bench`: ours against ceilings, in one run on one machine; one table as text and JSON. Arguments choose
 * rows by name: `npm run bench -- post start`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { assignmentRow } from './rows/assignment.ts'
import { assignmentCostRow } from './rows/assignment-cost.ts'
import { expressionsRow } from './rows/expressions.ts'
import { flexChannelRow } from './rows/flex-channel.ts'
import { growthRows } from './rows/growth.ts'
import { memoryRow } from './rows/memory.ts'
import { offerHeardRow } from './rows/offer-heard.ts'
import { postHeardRow, postRow } from './rows/post.ts'
import { sdkStartRow } from './rows/sdk-start.ts'
import { socketFanOutRow } from './rows/socket-fan-out.ts'
import { socketIdleRow } from './rows/socket-idle.ts'
import { socketSendRow } from './rows/socket-send.ts'
import { socketStormRow } from './rows/socket-storm.ts'
import { asText, type Row } from './table.ts'

const rows: Readonly<Record<string, () => Promise<Row | readonly Row[]>>> = {
  post: postRow,
  'post-heard': postHeardRow,
  'flex-channel': flexChannelRow,
  assignment: assignmentRow,
  'assignment-cost': assignmentCostRow,
  'offer-heard': offerHeardRow,
  expressions: expressionsRow,
  memory: memoryRow,
  growth: growthRows,
  'socket-send': socketSendRow,
  'socket-fan-out': socketFanOutRow,
  'socket-idle': socketIdleRow,
  'socket-storm': socketStormRow,
  'sdk-start': sdkStartRow,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((it) => !(it in rows))
if (unknown.length) {
  console.error(`No such row: ${unknown.join(', ')}. There are ${Object.keys(rows).join(', ')}.`)
  process.exit(1)
}

const measured: Row[] = []
for (const [name, measure] of Object.entries(rows)) {
  if (asked.length && !asked.includes(name)) continue
  console.error(`measuring ${name} …`)
  measured.push(...[await measure()].flat())
}

const folder = fileURLToPath(new URL('results/', import.meta.url))
mkdirSync(folder, { recursive: true })
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
writeFileSync(`${folder}latest.json`, `${JSON.stringify({ machine, rows: measured }, null, 2)}\n`)
writeFileSync(`${folder}latest.txt`, `${asText(measured)}\n`)
console.log(`\n${machine.cores} × ${machine.cpu}, Node ${machine.node}\n\n${asText(measured)}\n`)

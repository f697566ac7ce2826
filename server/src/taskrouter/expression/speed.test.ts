// How fast typical expressions run. Printed, not asserted: the machine decides.

import { test } from 'node:test'
import { compileExpression } from './compile.ts'
import { parseExpression } from './parse.ts'

const EVALUATIONS = 300_000

test('a typical expression is evaluated a million times a second', (context) => {
  const scope = {
    attributes: { languages: ['en', 'de', 'fr'], skills: ['sales', 'support'], level: 4, region: 'eu' },
    worker: { languages: ['en', 'de'], level: 4, channel: { chat: { assigned_tasks: 1 } } },
    task: { language: 'de', level: 3 },
    now: Date.UTC(2024, 0, 1, 12),
  }
  for (const text of [
    '1==1',
    "(skills HAS 'support') AND (languages HAS 'fr')",
    "languages HAS 'fr' AND skills HAS 'support' AND level >= 3 AND region IN ['eu', 'us']",
    'worker.languages HAS task.language AND worker.level >= task.level',
    "taskrouter.dayOfWeek IN ['Mon', 'Tue'] AND taskrouter.currentTime > 800 AND taskrouter.currentTime < 1730",
  ]) {
    const { matches } = compileExpression(text)
    const evaluated = perSecond(EVALUATIONS, () => matches(scope))
    const parsed = perSecond(EVALUATIONS / 100, () => parseExpression(text))
    context.diagnostic(`${evaluated} evaluations, ${parsed} readings a second: ${text}`)
  }
})

function perSecond(times: number, run: () => unknown): string {
  let used = 0
  for (let warm = 0; warm < times / 10; warm++) if (run()) used++
  const start = performance.now()
  for (let time = 0; time < times; time++) if (run()) used++
  const seconds = (performance.now() - start) / 1000
  return used === 0 ? 'no' : Math.round(times / seconds).toLocaleString('en')
}

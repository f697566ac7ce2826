/**
 * Evaluations of expressions that were compiled once: a typical one against a thousand workers, and a dozen of all
 * kinds in turn, so that no one of them has the processor to itself. The ceiling is the typical one as a function
 * written by hand. In this process, on one core.
 */
import { compileExpression, type Scope } from '../../server/src/taskrouter/expression/compile.ts'
import type { Row } from '../table.ts'

const PER_SECOND_MIN = 1_000_000

const WORKERS = 1_000
const SECONDS = 1

/** Evaluations between two looks at the clock. */
const BATCH = 100_000

const TYPICAL = "languages HAS 'fr' AND skills HAS 'support' AND level >= 3 AND region IN ['eu', 'us']"

const KINDS = [
  TYPICAL,
  '1==1',
  "(skills HAS 'support') AND (languages HAS 'fr')",
  'worker.languages HAS task.language AND worker.level >= task.level',
  "worker.channel.chat.assigned_tasks < 2 OR region == 'eu'",
  "NOT (region == 'us' OR level < 2)",
  "taskrouter.dayOfWeek IN ['Mon', 'Tue'] AND taskrouter.currentTime > 800 AND taskrouter.currentTime < 1730",
  "team.name CONTAINS 'east' OR team.lead != null",
  "task.language IN worker.languages AND NOT region NOT IN ['eu', 'us', 'asia']",
  'level > 1 AND level > 2 AND level > 3 AND level > 4',
  'languages[0] == task.language',
  "vip == true OR (level >= 4 AND skills HAS 'sales')",
]

const pick = <T>(of: readonly T[], at: number): T => of[at % of.length] as T

const scopeOf = (at: number): Scope => {
  const attributes = {
    languages: [pick(['en', 'es'], at), pick(['de', 'fr', 'it'], at)],
    skills: at % 4 ? ['sales', 'support'] : ['sales'],
    level: at % 6,
    region: pick(['eu', 'us', 'asia'], at),
    team: { name: pick(['north', 'east', 'south-east'], at) },
    ...(at % 5 === 0 && { vip: true }),
  }
  const worker = { ...attributes, sid: `WK${at}`, channel: { chat: { assigned_tasks: at % 4 } } }
  return {
    attributes: worker,
    worker,
    task: { language: pick(['en', 'fr'], at), level: at % 3 },
    now: at * 6e7,
  }
}

interface Typical {
  readonly languages: readonly string[]
  readonly skills: readonly string[]
  readonly level: number
  readonly region: string
}

const REGIONS = new Set(['eu', 'us'])

const byHand = ({ attributes }: Scope): boolean => {
  const { languages, skills, level, region } = attributes as unknown as Typical
  return languages.includes('fr') && skills.includes('support') && level >= 3 && REGIONS.has(region)
}

/** @param tests asked in turn */
const perSecond = (tests: readonly ((scope: Scope) => boolean)[], scopes: readonly Scope[]): number => {
  let held = 0
  const run = () => {
    for (let at = 0; at < BATCH; at += 1) if (pick(tests, at)(pick(scopes, at))) held += 1
  }
  run()
  const began = performance.now()
  let batches = 0
  for (; performance.now() - began < SECONDS * 1000; batches += 1) run()
  const seconds = (performance.now() - began) / 1000
  if (!held) throw new Error('nothing held, so nothing was measured')
  return (batches * BATCH) / seconds
}

const millions = (it: number): string => `${(it / 1e6).toFixed(1)} M/s`

export const expressionsRow = async (): Promise<Row> => {
  const scopes = Array.from({ length: WORKERS }, (_, at) => scopeOf(at))
  const ceiling = perSecond([byHand], scopes)
  const typical = perSecond([compileExpression(TYPICAL).matches], scopes)
  const mixed = perSecond(
    KINDS.map((it) => compileExpression(it).matches),
    scopes,
  )
  return {
    what: 'expressions, compiled once, one core',
    ours: `${millions(typical)} (${millions(mixed)} of ${KINDS.length} kinds in turn)`,
    ceiling: `${millions(ceiling)} by hand`,
    ratio: typical / ceiling,
    budget: '≥ 1 M/s',
    holds: Math.min(typical, mixed) >= PER_SECOND_MIN,
    numbers: { typical, mixed, ceiling },
  }
}

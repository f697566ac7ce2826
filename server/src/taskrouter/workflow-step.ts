/**
 * How a task goes through a workflow's filters and targets. Pure: configuration and facts in, the next stop out.
 *
 * The first filter whose expression holds takes the task; `default_filter` takes what no filter took. Targets are
 * gone through in order; the timeouts up to a target, added, are held against the task's age. Past the last target
 * by time, the task is over; past it by being skipped, it goes on to the next filter that holds, then to the default.
 */
import type { Scope } from './expression/compile.ts'
import type { WorkflowConfiguration, WorkflowTarget } from './workflow-configuration.ts'

export interface Facts {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly ageSeconds: number
  /** Milliseconds since 1970, for the expressions that read the time. */
  readonly now: number
}

export type Stop =
  | {
      readonly kind: 'target'
      /** `0.1` is the second target of the first filter. */
      readonly step: string
      readonly target: WorkflowTarget
      /** The task's age at which its time here is up; null never. */
      readonly untilAgeSeconds: number | null
    }
  | { readonly kind: 'nowhere'; readonly why: 'unmatched' | 'timeout' }

const DEFAULT = 'default'

/** Where a task begins, or begins again. */
export const enter = (configuration: WorkflowConfiguration, facts: Facts): Stop =>
  enterAfter(configuration, facts, -1)

/** Where a task stands now that it is older; a step that the configuration no longer has begins anew. */
export const resume = (configuration: WorkflowConfiguration, facts: Facts, step: string): Stop => {
  const at = readStep(configuration, step)
  if (!at) return enter(configuration, facts)
  return at.filter === undefined
    ? stopInDefault(configuration)
    : stopIn(configuration, facts, at.filter, at.target)
}

/** Where a task goes that its target lets pass; undefined when there is nowhere else, and it stays. */
export const skip = (configuration: WorkflowConfiguration, facts: Facts, step: string): Stop | undefined => {
  const at = readStep(configuration, step)
  if (!at) return enter(configuration, facts)
  if (at.filter === undefined) return undefined
  const targets = configuration.filters[at.filter]?.targets ?? []
  if (at.target + 1 < targets.length) return stopIn(configuration, facts, at.filter, at.target + 1)
  const next = enterAfter(configuration, facts, at.filter)
  return next.kind === 'nowhere' && next.why === 'unmatched' ? undefined : next
}

/** What a filter's expression is held against. */
export const filterScope = ({ attributes, now }: Pick<Facts, 'attributes' | 'now'>): Scope => ({
  attributes,
  task: attributes,
  now,
})

const enterAfter = (configuration: WorkflowConfiguration, facts: Facts, after: number): Stop => {
  const scope = filterScope(facts)
  for (let index = after + 1; index < configuration.filters.length; index += 1)
    if (configuration.filters[index]?.expression.matches(scope)) return stopIn(configuration, facts, index, 0)
  return stopInDefault(configuration)
}

const stopInDefault = ({ defaultFilter }: WorkflowConfiguration): Stop =>
  defaultFilter
    ? { kind: 'target', step: DEFAULT, target: defaultFilter, untilAgeSeconds: null }
    : { kind: 'nowhere', why: 'unmatched' }

const stopIn = (configuration: WorkflowConfiguration, facts: Facts, filter: number, from: number): Stop => {
  const targets = configuration.filters[filter]?.targets ?? []
  let until = 0
  for (const [index, target] of targets.entries()) {
    until += target.timeoutSeconds ?? 0
    if (index < from) continue
    if (target.timeoutSeconds === null)
      return { kind: 'target', step: `${filter}.${index}`, target, untilAgeSeconds: null }
    if (facts.ageSeconds < until)
      return { kind: 'target', step: `${filter}.${index}`, target, untilAgeSeconds: until }
  }
  return { kind: 'nowhere', why: 'timeout' }
}

/** The target of a step; undefined where the configuration no longer has it. */
export const targetAt = (configuration: WorkflowConfiguration, step: string): WorkflowTarget | undefined => {
  const at = readStep(configuration, step)
  if (!at) return undefined
  return at.filter === undefined
    ? (configuration.defaultFilter ?? undefined)
    : configuration.filters[at.filter]?.targets[at.target]
}

/** Where a step is in the configuration; undefined where it is no longer. */
export const readStep = (
  { filters, defaultFilter }: WorkflowConfiguration,
  step: string,
): { filter: number | undefined; target: number } | undefined => {
  if (step === DEFAULT) return defaultFilter ? { filter: undefined, target: 0 } : undefined
  const [filter = -1, target = -1] = step.split('.').map(Number)
  return filters[filter]?.targets[target] ? { filter, target } : undefined
}

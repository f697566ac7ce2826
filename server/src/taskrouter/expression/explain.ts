// Why an expression did not hold, in its own words: the first clause that made it false and what the
// keys in that clause were. Slower than `matches` and only asked for by people.

import { compileComparison } from './comparison.ts'
import type { Condition, Key } from './parse.ts'
import { readKey, type Scope } from './scope.ts'

/** Most keys named for one clause; the rest are left out. */
const SEEN_MAX = 16

export type Explanation = { readonly matches: true } | Failure

export type Failure = {
  readonly matches: false
  /** The text of the clause: one comparison, one NOT, or an OR of which no alternative held. */
  readonly clause: string
  /** Where the clause starts in the expression, in UTF-16 units from 0. */
  readonly offset: number
  /** The keys of the clause, as written, and their values; NULL is `null`. */
  readonly seen: readonly { readonly key: string; readonly value: unknown }[]
  /** For an OR, why each alternative failed; else empty. */
  readonly alternatives: readonly Failure[]
}

/** Evaluates the condition again, clause by clause, and stops at the first that decides. */
export function explainCondition(text: string, condition: Condition, scope: Scope): Explanation {
  switch (condition.kind) {
    case 'and': {
      for (const part of condition.conditions) {
        const explanation = explainCondition(text, part, scope)
        if (!explanation.matches) return explanation
      }
      return { matches: true }
    }
    case 'or': {
      const alternatives: Failure[] = []
      for (const part of condition.conditions) {
        const explanation = explainCondition(text, part, scope)
        if (explanation.matches) return explanation
        alternatives.push(explanation)
      }
      return failure(text, condition, scope, alternatives)
    }
    case 'not':
      if (!explainCondition(text, condition.condition, scope).matches) return { matches: true }
      return failure(text, condition, scope)
    case 'comparison':
      return compileComparison(condition)(scope) ? { matches: true } : failure(text, condition, scope)
  }
}

function failure(
  text: string,
  condition: Condition,
  scope: Scope,
  alternatives: readonly Failure[] = [],
): Failure {
  const seen = new Map<string, unknown>()
  for (const key of keysOf(condition)) {
    if (seen.size === SEEN_MAX) break
    seen.set(text.slice(key.start, key.end), readKey(key.path)(scope))
  }
  return {
    matches: false,
    clause: text.slice(condition.start, condition.end),
    offset: condition.start,
    seen: Array.from(seen, ([key, value]) => ({ key, value })),
    alternatives,
  }
}

function* keysOf(condition: Condition): Generator<Key> {
  switch (condition.kind) {
    case 'comparison':
      if (condition.left.kind === 'key') yield condition.left
      if (condition.right.kind === 'key') yield condition.right
      return
    case 'not':
      yield* keysOf(condition.condition)
      return
    default:
      for (const part of condition.conditions) yield* keysOf(part)
  }
}

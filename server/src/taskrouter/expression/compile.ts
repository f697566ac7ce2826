// The expression language as the router uses it: a text becomes a function, once. Compiled expressions
// are pure and kept, so the same text asked for again is the same object.

import { compileComparison, readOperand, type Test } from './comparison.ts'
import { type Explanation, explainCondition } from './explain.ts'
import { type Condition, parseExpression, parseValue } from './parse.ts'
import { remember } from './remember.ts'
import type { Scope } from './scope.ts'

export { ExpressionError } from './error.ts'
export type { Explanation } from './explain.ts'
export type { Scope } from './scope.ts'

/** All texts kept compiled, together: some three thousand of the usual length, or 40 MB at the worst. */
const REMEMBERED_CHARACTERS = 1_000_000

/** A condition, such as a queue's `TargetWorkers`. */
export type Expression = {
  readonly text: string
  /** Whether it holds. Never throws. */
  matches(scope: Scope): boolean
  /** Whether it holds and, if not, which clause failed on which values. */
  explain(scope: Scope): Explanation
}

/** A value to look up, such as a target's `known_worker_sid`. */
export type Value = {
  readonly text: string
  /** What it is in this scope; `null` when missing. */
  read(scope: Scope): unknown
}

/**
 * Compiles a condition. An empty text is an error here: what it means (nobody, everybody) is the caller's.
 * @throws ExpressionError with the line, the column and what was expected.
 */
export const compileExpression: (text: string) => Expression = remember(
  (text) => ({
    text,
    matches: compileCondition(parseExpression(text)),
    // Reads the text again: the tree is larger than the functions and few ask why.
    explain: (scope) => explainCondition(text, parseExpression(text), scope),
  }),
  { characters: REMEMBERED_CHARACTERS },
)

/**
 * Compiles one key or literal.
 * @throws ExpressionError
 */
export function compileValue(text: string): Value {
  return { text, read: readOperand(parseValue(text)) }
}

function compileCondition(condition: Condition): Test {
  switch (condition.kind) {
    case 'comparison':
      return compileComparison(condition)
    case 'not': {
      const test = compileCondition(condition.condition)
      return (scope) => !test(scope)
    }
    case 'and':
      return compileAll(condition.conditions.map(compileCondition))
    case 'or':
      return compileAny(condition.conditions.map(compileCondition))
  }
}

/** Two parts, by far the most common number, cost no loop. */
function compileAll(tests: readonly Test[]): Test {
  const [first, second] = tests
  if (first && second && tests.length === 2) return (scope) => first(scope) && second(scope)
  return (scope) => {
    for (const test of tests) if (!test(scope)) return false
    return true
  }
}

function compileAny(tests: readonly Test[]): Test {
  const [first, second] = tests
  if (first && second && tests.length === 2) return (scope) => first(scope) || second(scope)
  return (scope) => {
    for (const test of tests) if (test(scope)) return true
    return false
  }
}

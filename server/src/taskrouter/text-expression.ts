/** Expressions as parameters: what cannot be read answers with the parameter's name, the line and the column. */
import { problem } from '@parley/contract/problem.ts'
import { compileExpression, type Expression, ExpressionError } from './expression/compile.ts'

/** Takes nobody, as an empty `TargetWorkers` does. */
const NOBODY: Expression = { text: '', matches: () => false, explain: () => NO_REASON }
const NO_REASON = { matches: false, clause: '', offset: 0, seen: [], alternatives: [] } as const

/** @throws 400 for a text that is no expression */
export const readExpression = (parameter: string, text: string): Expression => {
  if (text.trim() === '') return NOBODY
  try {
    return compileExpression(text)
  } catch (fault) {
    if (!(fault instanceof ExpressionError)) throw fault
    throw problem('expression_invalid', { parameter, reason: fault.message })
  }
}

/** A queue's `TargetWorkers`, which was read when it was given. */
export const targetWorkers = (text: string | null): Expression =>
  text === null || text.trim() === '' ? NOBODY : compileExpression(text)

// What each operator means. Two rules hold throughout: NULL satisfies no comparison unless `null` is
// written in the expression, and values of different types satisfy none, `!=` and NOT IN included. So a
// negated operator is not the opposite of its plain form; NOT in front of a comparison is.

import type { Comparison, List, Operand } from './parse.ts'
import { type Read, readKey, type Scope } from './scope.ts'

export type Test = (scope: Scope) => boolean

/** Compiles one comparison. */
export function compileComparison({ operator, left, right }: Comparison): Test {
  switch (operator) {
    case '==':
      return compileEqual(left, right, true)
    case '!=':
      return compileEqual(left, right, false)
    case '<':
      return compileOrdered(left, right, (a, b) => a < b)
    case '<=':
      return compileOrdered(left, right, (a, b) => a <= b)
    case '>':
      return compileOrdered(left, right, (a, b) => a > b)
    case '>=':
      return compileOrdered(left, right, (a, b) => a >= b)
    case 'CONTAINS':
      return compileContains(left, right, true)
    case 'NOT CONTAINS':
      return compileContains(left, right, false)
    case 'HAS':
      return compileMember(right, left, true)
    case 'NOT HAS':
      return compileMember(right, left, false)
    case 'IN':
      return compileMember(left, right, true)
    case 'NOT IN':
      return compileMember(left, right, false)
  }
}

/** Compiles an operand to a function that reads its value. */
export function readOperand(operand: Operand): Read {
  switch (operand.kind) {
    case 'key':
      return readKey(operand.path)
    case 'literal': {
      const { value } = operand
      return () => value
    }
    case 'list': {
      const { items } = operand
      return () => items
    }
  }
}

function compileEqual(left: Operand, right: Operand, wanted: boolean): Test {
  if (isNull(left) && !isNull(right)) return compileEqual(right, left, wanted)
  if (left.kind === 'literal' && right.kind !== 'literal') return compileEqual(right, left, wanted)
  const readLeft = readOperand(left)
  if (right.kind === 'literal') {
    const { value } = right
    if (value === null) return (scope) => (readLeft(scope) === null) === wanted
    if (wanted) return (scope) => readLeft(scope) === value
    const type = typeof value
    return (scope) => {
      const seen = readLeft(scope)
      return typeof seen === type && seen !== value
    }
  }
  const readRight = readOperand(right)
  return (scope) => {
    const a = readLeft(scope)
    const b = readRight(scope)
    return typeof a === typeof b && typeof a !== 'object' && (a === b) === wanted
  }
}

/** Numbers by size, strings by their UTF-16 units. */
function compileOrdered(
  left: Operand,
  right: Operand,
  holds: (a: number | string, b: number | string) => boolean,
): Test {
  const readLeft = readOperand(left)
  const readRight = readOperand(right)
  return (scope) => {
    const a = readLeft(scope)
    const b = readRight(scope)
    if (typeof a === 'number') return typeof b === 'number' && holds(a, b)
    return typeof a === 'string' && typeof b === 'string' && holds(a, b)
  }
}

function compileContains(left: Operand, right: Operand, wanted: boolean): Test {
  const readLeft = readOperand(left)
  const readRight = readOperand(right)
  return (scope) => {
    const whole = readLeft(scope)
    const part = readRight(scope)
    return typeof whole === 'string' && typeof part === 'string' && whole.includes(part) === wanted
  }
}

/** `item IN list`, which is also `list HAS item`. */
function compileMember(item: Operand, list: Operand, wanted: boolean): Test {
  const readItem = readOperand(item)
  if (list.kind === 'list') return compileMemberOfLiteral(readItem, list, item, wanted)
  const readList = readOperand(list)
  const nullIsWritten = isNull(item)
  return (scope) => {
    const members = readList(scope)
    if (!Array.isArray(members)) return false
    const value = readItem(scope)
    if (value === null ? !nullIsWritten : typeof value === 'object') return false
    return members.includes(value) === wanted
  }
}

function compileMemberOfLiteral(readItem: Read, { items }: List, item: Operand, wanted: boolean): Test {
  const members = new Set<unknown>(items)
  const nullIsWritten = isNull(item) || members.has(null)
  return (scope) => {
    const value = readItem(scope)
    if (value === null ? !nullIsWritten : typeof value === 'object') return false
    return members.has(value) === wanted
  }
}

function isNull(operand: Operand): boolean {
  return operand.kind === 'literal' && operand.value === null
}

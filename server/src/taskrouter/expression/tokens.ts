// Cuts a text of the expression language into tokens, one ahead of the parser and never back, so that
// reading costs time in proportion to the text.
//
// A key is one token, its dots and indices included: after a dot every word is an attribute's name,
// so `task.in` and `worker.has` are keys although IN and HAS are words of the language.

import { ExpressionError } from './error.ts'

/** Longest text read, in UTF-16 units: no routing rule comes near, and each is kept compiled. */
export const EXPRESSION_LENGTH_MAX = 4096

export type Scalar = string | number | boolean | null

/** Half-open range of the text, in UTF-16 units. */
export type Span = { readonly start: number; readonly end: number }

export type Token = Span &
  (
    | { readonly kind: 'word'; readonly word: string }
    | { readonly kind: 'key'; readonly path: readonly (string | number)[] }
    | { readonly kind: 'literal'; readonly value: Scalar }
    | { readonly kind: 'symbol'; readonly symbol: string }
    | { readonly kind: 'end' }
  )

const WORDS = new Set(['AND', 'OR', 'NOT', 'IN', 'HAS', 'CONTAINS'])
const CONSTANTS = new Map<string, Scalar>([
  ['TRUE', true],
  ['FALSE', false],
  ['NULL', null],
])

const SPACE = /\s*/y
const NAME = /[\p{L}_$][\p{L}\p{M}\p{N}_$]*/uy
const STEP = /\.([\p{L}\p{M}\p{N}_$]+)|\[\s*(\d+)\s*\]/uy
const NUMBER = /-?(?:\d+(?:\.\d+)?|\.\d+)/y
const SYMBOL = /==|!=|<=|>=|[=<>()[\],]/y
const NUMBER_MAY_NOT_TOUCH = /[\p{L}\p{N}_$.]/uy

const FOUND_LENGTH_MAX = 24

export class Tokens {
  readonly text: string
  /** The token the parser is looking at. */
  current: Token
  /** Where the last token taken ended. */
  previousEnd = 0

  /** @throws ExpressionError if the text is longer than `EXPRESSION_LENGTH_MAX` or starts with no token. */
  constructor(text: string) {
    this.text = text
    if (text.length > EXPRESSION_LENGTH_MAX) {
      throw new ExpressionError(
        text,
        EXPRESSION_LENGTH_MAX,
        `at most ${EXPRESSION_LENGTH_MAX} characters`,
        `${text.length}`,
      )
    }
    this.current = this.#read(0)
  }

  /** Hands out the current token and looks at the next. */
  take(): Token {
    const taken = this.current
    this.previousEnd = taken.end
    this.current = this.#read(taken.end)
    return taken
  }

  /** Takes the current token if it is this symbol. */
  takeSymbol(symbol: string): boolean {
    if (this.current.kind !== 'symbol' || this.current.symbol !== symbol) return false
    this.take()
    return true
  }

  /** Takes the current token if it is this word of the language (in capitals). */
  takeWord(word: string): boolean {
    if (this.current.kind !== 'word' || this.current.word !== word) return false
    this.take()
    return true
  }

  /** The error that the current token is not what was expected. */
  unexpected(expected: string): ExpressionError {
    const { start, end, kind } = this.current
    if (kind === 'end') return this.#wrong(start, expected, 'the end of the text')
    const found = this.text.slice(start, end)
    const shown = found.length > FOUND_LENGTH_MAX ? `${found.slice(0, FOUND_LENGTH_MAX)}…` : found
    return this.#wrong(start, expected, shown)
  }

  #read(from: number): Token {
    const start = this.#skip(SPACE, from)
    if (start === this.text.length) return { kind: 'end', start, end: start }
    const first = this.text.charAt(start)
    if (first === "'" || first === '"') return this.#readString(start, first)
    const afterNumber = this.#skip(NUMBER, start)
    if (afterNumber > start) return this.#readNumber(start, afterNumber)
    const afterName = this.#skip(NAME, start)
    if (afterName > start) return this.#readName(start, afterName)
    const end = this.#skip(SYMBOL, start)
    if (end === start) throw this.#wrong(start, expectedInsteadOf(first), this.#character(start))
    return { kind: 'symbol', symbol: this.text.slice(start, end), start, end }
  }

  /** A backslash before a quote or a backslash takes it as it is; any other backslash is only itself. */
  #readString(start: number, quote: string): Token {
    let value = ''
    for (let at = start + 1; at < this.text.length; at++) {
      const character = this.text.charAt(at)
      if (character === quote) return { kind: 'literal', value, start, end: at + 1 }
      const next = this.text.charAt(at + 1)
      if (character === '\\' && (next === "'" || next === '"' || next === '\\')) {
        value += next
        at++
      } else {
        value += character
      }
    }
    throw this.#wrong(this.text.length, `a closing ${quote}`, 'the end of the text')
  }

  #readNumber(start: number, end: number): Token {
    if (this.#skip(NUMBER_MAY_NOT_TOUCH, end) > end) {
      throw this.#wrong(end, 'a space, an operator or a bracket after the number', this.#character(end))
    }
    const value = Number(this.text.slice(start, end))
    if (!Number.isFinite(value)) throw this.#wrong(start, 'a number of at most 308 digits', 'a larger one')
    return { kind: 'literal', value, start, end }
  }

  #readName(start: number, afterName: number): Token {
    const name = this.text.slice(start, afterName)
    const word = name.toUpperCase()
    if (WORDS.has(word)) return { kind: 'word', word, start, end: afterName }
    const next = this.text.charAt(afterName)
    if (CONSTANTS.has(word) && next !== '.' && next !== '[') {
      return { kind: 'literal', value: CONSTANTS.get(word) ?? null, start, end: afterName }
    }
    const path: (string | number)[] = [name]
    let end = afterName
    STEP.lastIndex = end
    for (let step = STEP.exec(this.text); step !== null; step = STEP.exec(this.text)) {
      path.push(step[1] ?? Number(step[2]))
      end = STEP.lastIndex
    }
    switch (this.text.charAt(end)) {
      case '.':
        throw this.#wrong(end + 1, "an attribute's name after the dot", this.#character(end + 1))
      case '[':
        throw this.#wrong(end + 1, 'an index such as 0 and a closing ]', this.#character(end + 1))
      case '-':
        throw this.#wrong(end, 'a key without hyphens (letters, digits, _ and $)', this.#character(end))
    }
    return { kind: 'key', path, start, end }
  }

  #skip(pattern: RegExp, from: number): number {
    pattern.lastIndex = from
    return pattern.test(this.text) ? pattern.lastIndex : from
  }

  #character(offset: number): string {
    const code = this.text.codePointAt(offset)
    return code === undefined ? 'the end of the text' : String.fromCodePoint(code)
  }

  #wrong(offset: number, expected: string, found: string): ExpressionError {
    return new ExpressionError(this.text, offset, expected, found)
  }
}

/** Names what was probably meant by a character that other languages have. */
function expectedInsteadOf(character: string): string {
  switch (character) {
    case '&':
      return 'AND'
    case '|':
      return 'OR'
    case '!':
      return 'NOT, or the operator !='
    case '‘':
    case '’':
    case '“':
    case '”':
      return 'a straight quote'
    default:
      return 'a key, a literal, an operator or a bracket'
  }
}

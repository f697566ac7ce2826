// What is wrong with a text in the expression language, and where: line and column of the first
// character that cannot stand there, and what could.

/** A text that is not an expression. `line` and `column` count from 1, columns in UTF-16 units. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
  readonly line: number
  readonly column: number
  /** What could have stood there, as a phrase: `a closing parenthesis`. */
  readonly expected: string

  constructor(text: string, offset: number, expected: string, found: string) {
    const before = text.slice(0, offset)
    const line = before.split('\n').length
    const column = offset - before.lastIndexOf('\n')
    super(`line ${line}, column ${column}: expected ${expected}, found ${found}`)
    this.line = line
    this.column = column
    this.expected = expected
  }
}

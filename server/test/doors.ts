/** Reads the doors table of `ARCHITECTURE.md` and finds the imports that it forbids. */
import { posix } from 'node:path'

/** A room's name → what it may import: rooms, files of rooms, or `everything`. */
export type Doors = ReadonlyMap<string, readonly string[]>

/** Path from the root → text. */
export type Tree = Readonly<Record<string, string>>

const OUTSIDE_THE_SERVER = ['contract', 'client', 'cli', 'examples', 'bench']

/** The files that stand in `server/src` itself. */
const HOUSE = 'app.ts'

const NOTHING = '–'

/** @throws where the heading or its table is missing */
export const doorsIn = (markdown: string): Doors => {
  const section = /^## Doors$(.*?)(?=^## |$(?![\s\S]))/ms.exec(markdown)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| (.+?) \| (.+?) \|$/gm)].slice(1)
  if (rows.length === 0) throw new Error('there is no table under the heading "## Doors"')
  return new Map(
    rows.flatMap(([, rooms = '', allowed = '']) =>
      rooms.split(', ').map((room) => [room, allowed === NOTHING ? [] : allowed.split(', ')] as const),
    ),
  )
}

/** Lines of `file:line: what is forbidden`. */
export const forbiddenImports = (doors: Doors, tree: Tree): string[] =>
  Object.entries(tree)
    .filter(([path]) => !isTest(path))
    .flatMap(([path, text]) => {
      const { room } = placeOf(path)
      const allowed = doors.get(room)
      if (!allowed) return [`${path}:1: ${room} has no row in the doors table`]
      return importsOf(text).flatMap(({ specifier, line }) => {
        const target = resolve(path, specifier)
        if (target === undefined || isAllowed(room, allowed, target)) return []
        return [`${path}:${line}: ${room} may not import ${target.room} ('${specifier}')`]
      })
    })

const isTest = (path: string): boolean =>
  path.endsWith('.test.ts') || path.startsWith('server/test/') || path.startsWith('client/test/')

interface Place {
  readonly room: string
  /** As the table names a single file of a room: `http/binding.ts`. */
  readonly file: string
}

const placeOf = (path: string): Place => {
  const [first = '', second, third, ...rest] = path.split('/')
  if (OUTSIDE_THE_SERVER.includes(first)) return { room: first, file: path }
  if (first !== 'server' || second !== 'src' || third === undefined) return { room: first, file: path }
  return rest.length === 0 ? { room: HOUSE, file: third } : { room: third, file: [third, ...rest].join('/') }
}

const isAllowed = (room: string, allowed: readonly string[], target: Place): boolean =>
  target.room === room ||
  allowed.includes('everything') ||
  allowed.includes(target.room) ||
  allowed.includes(target.file)

/** Undefined for what npm or Node itself brings. */
const resolve = (from: string, specifier: string): Place | undefined => {
  if (specifier.startsWith('.')) return placeOf(posix.join(posix.dirname(from), specifier))
  if (specifier.startsWith('@parley/')) return placeOf(specifier.slice('@parley/'.length))
  return undefined
}

/**
 * Static imports and exports stand at the beginning of a line, as Biome formats them; the type and the expression
 * `import('…')` stand anywhere but in a comment's line.
 */
const IMPORTS = [
  /^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /^(?!\s*(?:\/\/|\*|\/\*)).*?\bimport\(\s*(['"])(?<specifier>[^'"]+)\1/gm,
]

const importsOf = (text: string): { specifier: string; line: number }[] =>
  IMPORTS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => ({
      specifier: match.groups?.specifier ?? '',
      line: text.slice(0, match.index + match[0].length).split('\n').length,
    })),
  )

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { doorsIn, forbiddenImports, type Tree } from './doors.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const ours = (): Tree => {
  const paths = globSync('{contract,server,client,cli,examples,bench}/**/*.{ts,js}', {
    cwd: root,
    exclude: (path) => path === 'node_modules' || path.endsWith('/node_modules'),
  })
  return Object.fromEntries(paths.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]))
}

const TABLE = `
# A house

| another | table |
|---|---|
| cellar | everything |

## Doors

| room | may import |
|---|---|
| contract | – |
| store | contract |
| http | contract, store |
| chat, taskrouter | contract, store, http/binding.ts |
| app.ts, main.ts and what else stands beside them | everything |
| cli | contract |

## After
`

const forbidden = (tree: Tree): string[] => forbiddenImports(doorsIn(TABLE), tree)

describe('doors', () => {
  test('no room imports what ARCHITECTURE.md does not allow it', () => {
    const doors = doorsIn(readFileSync(`${root}/ARCHITECTURE.md`, 'utf8'))
    const tree = ours()
    assert(Object.keys(tree).length > 50)
    assert.deepEqual(forbiddenImports(doors, tree), [])
  })

  test('a forbidden import is named with its file and line', () => {
    const tree = {
      'server/src/chat/member.ts': [
        "import { z } from 'zod'",
        "import { query } from '../store/query.ts'",
        'import {',
        '  type Task,',
        "} from '../taskrouter/task.ts'",
      ].join('\n'),
      'server/src/store/query.ts': '',
      'server/src/taskrouter/task.ts': '',
    }
    assert.deepEqual(forbidden(tree), [
      "server/src/chat/member.ts:5: chat may not import taskrouter ('../taskrouter/task.ts')",
    ])
  })

  test('every way to import is seen, types included, by path and by package', () => {
    const ways = [
      "import '../taskrouter/task.ts'",
      "import type { Task } from '../taskrouter/task.ts'",
      "export { task } from '../taskrouter/task.ts'",
      "export * from '../taskrouter/task.ts'",
      "const { task } = await import('../taskrouter/task.ts')",
      "type Task = import('../taskrouter/task.ts').Task",
      "import { task } from '@parley/server/src/taskrouter/task.ts'",
      'import { task } from "../taskrouter/task.ts"',
      "import { task } from '../../../cli/task.ts'",
    ]
    for (const way of ways)
      assert.equal(forbidden({ 'server/src/chat/member.ts': `\n${way}\n` }).length, 1, way)
  })

  test('what is not forbidden passes: the own room, npm, the allowed rooms, comments, tests, the house itself', () => {
    const free = {
      'server/src/chat/member.ts': [
        "import { deep } from './deep/file.ts'",
        "import fastify from 'fastify'",
        "import { readFile } from 'node:fs/promises'",
        "import { field } from '@parley/contract/field.ts'",
        "import type { Verb } from '../http/binding.ts'",
        "// import { task } from '../taskrouter/task.ts'",
        " * import { task } from '../taskrouter/task.ts'",
      ].join('\n'),
      'server/src/chat/member.test.ts': "import { task } from '../taskrouter/task.ts'",
      'server/test/world/index.ts': "import { task } from '../../src/taskrouter/task.ts'",
      'server/src/app.ts': "import { task } from './taskrouter/task.ts'",
    }
    assert.deepEqual(forbidden(free), [])
  })

  test('of http only the binding may be imported, and an allowed name is not a prefix', () => {
    assert.equal(forbidden({ 'server/src/chat/a.ts': "import { serve } from '../http/serve.ts'" }).length, 1)
    assert.equal(forbidden({ 'server/src/chat/a.ts': "import { a } from '../store-room/a.ts'" }).length, 1)
  })

  test('a room without a row is refused, so that a new one gets its row', () => {
    assert.deepEqual(forbidden({ 'server/src/attic/trunk.ts': '' }), [
      'server/src/attic/trunk.ts:1: attic has no row in the doors table',
    ])
  })
})

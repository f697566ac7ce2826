/** A start, a second start, an end: as whoever runs it sees them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openPostgres } from '../world/postgres.ts'
import { sparePort } from '../world/spare-port.ts'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

const newFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'parley-life-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const launch = (env: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, ...env } })
  let said = ''
  let complained = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    complained += chunk
  })
  // Not its exit: what it said last may come after that.
  const gone = once(child, 'close') as Promise<[number | null]>
  return {
    child,
    gone,
    said: () => said,
    complained: () => complained,
    /** Resolves when the whole banner is printed. */
    ready: async () => {
      while (!said.includes('curl ')) {
        const ended = await Promise.race([once(child.stdout, 'data').then(() => undefined), gone])
        if (ended) throw new Error(`it ended with ${ended[0]}: ${complained}`)
      }
      return said
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

const credentialsIn = (banner: string) =>
  ['Account SID', 'Auth token', 'API key SID', 'API key secret'].map(
    (it) => new RegExp(`${it}\\s+(\\S+)`).exec(banner)?.[1],
  )

test('a start prints a curl line that works, and a second start keeps every credential', async () => {
  await using folder = await newFolder()
  const env = { PARLEY_DATA: folder.path, PORT: String(await sparePort()) }
  const printed: (string | undefined)[][] = []
  for (const _ of ['first', 'second']) {
    await using parley = launch(env)
    const banner = await parley.ready()
    const [, credentials, address] = /curl -u (\S+) (\S+)/.exec(banner) ?? []
    const answer = await fetch(address as string, {
      headers: { authorization: `Basic ${Buffer.from(credentials as string).toString('base64')}` },
    })
    assert.equal(answer.status, 200)
    assert.match(((await answer.json()) as { account_sid: string }).account_sid, /^AC/)
    printed.push(credentialsIn(banner))
    parley.child.kill('SIGTERM')
    assert.equal((await parley.gone)[0], 0)
  }
  assert.ok(printed[0]?.every((it) => it !== undefined))
  assert.deepEqual(printed[0], printed[1])
})

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`on ${signal} a request that runs is answered and no new one is taken`, async () => {
    await using folder = await newFolder()
    const port = await sparePort()
    await using parley = launch({ PARLEY_DATA: folder.path, PORT: String(port) })
    const [sid, authToken] = credentialsIn(await parley.ready())
    const authorization = `Basic ${Buffer.from(`${sid}:${authToken}`).toString('base64')}`
    const running = connect(port, '127.0.0.1')
    const body = 'FriendlyName=Late'
    running.write(
      `POST /v2/Services HTTP/1.1\r\nHost: parley\r\nAuthorization: ${authorization}\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n` +
        'Expect: 100-continue\r\n\r\n',
    )
    // The house has begun to read this request: it has asked for its body.
    await once(running, 'data')
    parley.child.kill(signal)
    while (
      await fetch(`http://127.0.0.1:${port}/healthz`).then(
        () => true,
        () => false,
      )
    );
    running.write(body)
    let answer = ''
    for await (const chunk of running) {
      answer += chunk
      if (answer.includes('"friendly_name":"Late"')) break
    }
    assert.match(answer, /^HTTP\/1\.1 201 /)
    const began = performance.now()
    assert.equal((await parley.gone)[0], 0)
    assert.ok(performance.now() - began < 10_000)
  })

test('a wrong setting stops the start with a sentence that says what would do', async () => {
  await using parley = launch({ PORT: 'eighty' })
  assert.equal((await parley.gone)[0], 1)
  assert.match(parley.complained(), /PORT.*eighty.*port from 1 to 65535/s)
})

test('a port that is taken is named', async () => {
  await using folder = await newFolder()
  await using other = await newFolder()
  const PORT = String(await sparePort())
  await using first = launch({ PARLEY_DATA: folder.path, PORT })
  await first.ready()
  await using second = launch({ PARLEY_DATA: other.path, PORT })
  assert.equal((await second.gone)[0], 1)
  assert.match(second.complained(), new RegExp(`PORT=${PORT}.*another program`, 's'))
})

test('alive, ready and measured', async () => {
  await using folder = await newFolder()
  const PORT = await sparePort()
  await using parley = launch({ PARLEY_DATA: folder.path, PORT: String(PORT) })
  await parley.ready()
  const ask = (path: string) => fetch(`http://127.0.0.1:${PORT}${path}`)
  assert.deepEqual(await (await ask('/healthz')).json(), { status: 'alive' })
  assert.deepEqual(await (await ask('/readyz')).json(), { status: 'ready' })
  assert.match(await (await ask('/metrics')).text(), /parley_request_seconds_count/)
  const document = (await (await ask('/openapi.json')).json()) as { paths: Record<string, unknown> }
  assert.ok('/v2/Services/{ServiceSid}/Channels' in document.paths)
  assert.match(await (await ask('/docs')).text(), /swagger/i)
})

/** @returns what it complained of, without a stack */
const refused = async (env: Readonly<Record<string, string>>): Promise<string> => {
  await using parley = launch({ PORT: String(await sparePort()), ...env })
  assert.equal((await parley.gone)[0], 1)
  assert.doesNotMatch(parley.complained(), /^\s+at /m)
  return parley.complained()
}

test('a database that another key sealed is told from one that is broken, and a second start harms neither', async () => {
  await using folder = await newFolder()
  const PARLEY_DATA = folder.path
  const PORT = String(await sparePort())
  {
    await using parley = launch({ PARLEY_DATA, PORT })
    await parley.ready()
    parley.child.kill('SIGTERM')
    await parley.gone
  }
  const other = randomBytes(32).toString('base64')
  assert.match(
    await refused({ PARLEY_DATA, PARLEY_SEAL_KEY: other }),
    /^PARLEY_SEAL_KEY: .*another key.*Set the key/,
  )

  const key = await readFile(join(PARLEY_DATA, 'seal.key'))
  await writeFile(join(PARLEY_DATA, 'seal.key'), other)
  assert.match(await refused({ PARLEY_DATA }), /another key.*Put the seal\.key/)
  await writeFile(join(PARLEY_DATA, 'seal.key'), 'no key')
  assert.match(await refused({ PARLEY_DATA }), /^PARLEY_DATA: .*seal\.key does not hold 32 bytes/)

  await writeFile(join(PARLEY_DATA, 'seal.key'), key)
  await using parley = launch({ PARLEY_DATA, PORT })
  await parley.ready()
})

test('a data folder or a file in it that does not do is named', async () => {
  await using folder = await newFolder()
  const at = (name: string) => join(folder.path, name)
  await writeFile(at('file'), '')
  assert.match(await refused({ PARLEY_DATA: at('file') }), /^PARLEY_DATA=.*no folder that may be written to/)
  assert.match(
    await refused({ PARLEY_DATA: at('file/below') }),
    /^PARLEY_DATA=.*no folder that may be written to/,
  )
  await mkdir(at('noise'))
  await writeFile(at('noise/parley.db'), randomBytes(8_192))
  assert.match(
    await refused({ PARLEY_DATA: at('noise') }),
    /parley\.db cannot be read \(file is not a database\)/,
  )
  await mkdir(at('folder/parley.db'), { recursive: true })
  assert.match(await refused({ PARLEY_DATA: at('folder') }), /^PARLEY_DATA=.*unable to open database file/)
})

test('a PostgreSQL server that is not there or lets nobody in is named, and no password is shown', async () => {
  await using folder = await newFolder()
  await using database = await openPostgres()
  const wrong = async (change: (url: URL) => void): Promise<string> => {
    const url = new URL(database.url)
    url.password = 'open-sesame'
    change(url)
    const complained = await refused({ PARLEY_DATA: folder.path, DATABASE_URL: url.href })
    assert.doesNotMatch(complained, /open-sesame/)
    return complained
  }
  const right = new URL(database.url).password
  assert.match(await wrong(() => {}), /^DATABASE_URL: password authentication failed.*Correct the user/)
  assert.match(
    await wrong((url) => {
      url.password = right
      url.pathname = '/nowhere'
    }),
    /^DATABASE_URL: database "nowhere" does not exist/,
  )
  assert.match(
    await wrong((url) => {
      url.port = '1'
    }),
    /^DATABASE_URL: no PostgreSQL server answers there/,
  )
  assert.match(
    await wrong((url) => {
      url.hostname = 'nowhere.invalid'
    }),
    /^DATABASE_URL: no PostgreSQL server answers there/,
  )
})

test('an API key of another account is not taken for the first account', async () => {
  await using folder = await newFolder()
  const env = { PARLEY_DATA: folder.path, PORT: String(await sparePort()) }
  const keyOf = async (settings: Readonly<Record<string, string>>) => {
    await using parley = launch({ ...env, ...settings })
    const [, , keySid] = credentialsIn(await parley.ready())
    parley.child.kill('SIGTERM')
    await parley.gone
    return keySid as string
  }
  await keyOf({})
  const other = await keyOf({ PARLEY_ACCOUNT_SID: `AC${'d'.repeat(32)}` })
  await using refused = launch({ ...env, PARLEY_API_KEY_SID: other })
  assert.equal((await refused.gone)[0], 1)
  assert.match(refused.complained(), new RegExp(`PARLEY_API_KEY_SID=${other}.*another account`, 's'))
})

/**
 * The house that `docs/guides/move-from-programmable-chat.md` describes: Parley at `https://chat.example.org`, behind the
 * guide's own certificate and front, and programs of integrators that find it by names.
 */
import { spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { sparePort } from '../world/spare-port.ts'
import { type Program, start } from './program.ts'
import { hex, openBrowser } from './stage.ts'

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const HOSTS = new URL('hosts.ts', import.meta.url).href

/** Long enough for a client that connects, and tries again once. */
const PROGRAM_ENDS_WITHIN_MS = 60_000

export interface Move {
  readonly parley: Program
  /** What an integrator's programs have in their environment. */
  readonly env: Readonly<Record<string, string>>
  /** Runs shell commands where the certificate is. @returns what they print */
  shell(commands: string): Promise<string>
  /**
   * Runs a program of CommonJS, in which `await` may stand anywhere.
   * @param names those that lead to the front
   * @param sdks what `require` gives for a package's name, by the name of what is installed
   * @returns what it prints
   */
  run(source: string, names: readonly string[], given?: RunGiven): Promise<string>
  /** A browser in which names lead to the front, and its certificate is trusted. */
  openBrowser(names: readonly string[]): Promise<Browser>
  [Symbol.asyncDispose](): Promise<void>
}

interface RunGiven {
  readonly sdks?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/**
 * @param certificate the guide's commands that make an authority and a certificate
 * @param front the guide's program that answers with it
 */
export const openMove = async (certificate: string, front: string): Promise<Move> => {
  const open = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'parley-move-'))
    open.defer(() => rm(folder, { recursive: true, force: true }))
    const [port, frontPort] = [await sparePort(), await sparePort()]
    const place = `127.0.0.1:${frontPort}`
    const env = {
      TWILIO_ACCOUNT_SID: `AC${hex(16)}`,
      TWILIO_AUTH_TOKEN: hex(16),
      TWILIO_API_KEY: `SK${hex(16)}`,
      TWILIO_API_SECRET: hex(16),
    }
    const parley = open.use(
      start('server/src/main.js', {
        PORT: String(port),
        PARLEY_PUBLIC_URL: 'https://chat.example.org',
        PARLEY_DATA: join(folder, 'data'),
        PARLEY_ACCOUNT_SID: env.TWILIO_ACCOUNT_SID,
        PARLEY_AUTH_TOKEN: env.TWILIO_AUTH_TOKEN,
        PARLEY_API_KEY_SID: env.TWILIO_API_KEY,
        PARLEY_API_KEY_SECRET: env.TWILIO_API_SECRET,
        PARLEY_LOG: 'info',
      }),
    )
    await parley.answers(`http://127.0.0.1:${port}/readyz`)

    const bash = (commands: string) =>
      finished('bash', ['-eu', '-o', 'pipefail', '-c', commands], folder, { ...env })
    await bash(certificate)
    const here = front
      .replace('connect(8080', `connect(${port}`)
      .replace('listen(443', `listen(${frontPort}`)
      .replaceAll(/'(front\.\w+)'/g, (_, name) => JSON.stringify(join(folder, name)))
    const told = `front.once('listening', () => console.log('listening'))
      process.once('SIGTERM', () => process.exit(0))`
    await writeFile(join(folder, 'front.mjs'), `${here}\n${told}`)
    await open.use(start(join(folder, 'front.mjs'), {})).says('listening')

    let programs = 0
    return {
      parley,
      env,
      shell: (commands) =>
        bash(`curl() { command curl --cacert ca.crt --connect-to ::${place} "$@"; }\n${commands}`),
      run: async (source, names, { sdks = {}, env: more = {} } = {}) => {
        const own = join(folder, `program-${++programs}`)
        for (const [name, installed] of Object.entries({ twilio: 'twilio', ...sdks })) {
          const link = join(own, 'node_modules', name)
          await mkdir(join(link, '..'), { recursive: true })
          await symlink(join(MODULES, installed), link)
        }
        await writeFile(join(own, 'program.cjs'), `(async () => {\n${source}\n})()`)
        return finished(process.execPath, ['--import', HOSTS, 'program.cjs'], own, {
          ...env,
          ...more,
          NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt'),
          TEST_HOSTS: names.map((name) => `${name}=${place}`).join(','),
        })
      },
      openBrowser: async (names) => {
        const { publicKey } = new X509Certificate(await readFile(join(folder, 'front.crt')))
        const spki = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
        return openBrowser([
          `--host-resolver-rules=${names.map((name) => `MAP ${name} ${place}`).join(', ')}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
          `--ignore-certificate-errors-spki-list=${spki.digest('base64')}`,
        ])
      },
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    }
  } catch (fault) {
    await open.disposeAsync().catch(() => undefined)
    throw fault
  }
}

/** @throws with all that it said where it does not end well */
const finished = async (
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<string> => {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PROGRAM_ENDS_WITHIN_MS,
  })
  let [said, complaint] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text
  })
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${said}${complaint}`)
  return said
}

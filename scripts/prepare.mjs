/**
 * Makes a fresh clone ready, before `npm start` and, with `--for tests`, before `npm test`: installs what is missing
 * and says what it does. Says nothing and is quick where nothing is missing.
 *
 * This file alone must run on the Node that the machine has, 20 or newer, and before anything is installed: plain
 * JavaScript, no dependency.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR = 24
const POSTGRES_MAJOR = 15

const root = fileURLToPath(new URL('..', import.meta.url))
/** Where npm links the program of the package of `optionalDependencies` that fits this system. */
const ownNode = join(root, 'node_modules', '.bin', 'node')
const ownNodePackage = `node_modules/node-${process.platform}-${process.arch}`
const forTests = process.argv.slice(2).join(' ') === '--for tests'

/** @param {string} sentence */
const giveUp = (sentence) => {
  console.error(sentence)
  process.exit(1)
}

/** @param {string} version */
const isNewEnough = (version) => Number.parseInt(version, 10) >= NODE_MAJOR

/** @param {string} path @returns {any} undefined where there is no such file, or it is half written */
const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Whether npm has installed what the lock file asks for. npm writes `node_modules/.package-lock.json` when an install
 * has come to its end, so it is the stamp: an interrupted install has none, an older one has other versions.
 * Packages that npm may leave out (for other systems, or `--omit=dev` for a server) are not missed, but for the Node
 * that a machine with an older one cannot do without.
 */
const isInstalled = () => {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (!wanted)
    giveUp('package-lock.json is missing or broken: `git checkout package-lock.json` brings it back.')
  if (!installed) return false
  return Object.entries(wanted).every(
    ([path, { version, integrity, link, optional, dev, devOptional, peer }]) => {
      const isNeeded = path === ownNodePackage ? !isNewEnough(process.versions.node) : !optional && !peer
      if (!path.includes('node_modules/') || !isNeeded) return true
      const found = installed[path]
      if (!found) return !forTests && Boolean(dev || devOptional)
      return link ? found.link : found.version === version && found.integrity === integrity
    },
  )
}

const install = () => {
  console.log('Installing dependencies (npm ci) …')
  // Without our own folder of programs on PATH: npm must not run on a Node that it is about to replace.
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((place) => !place.includes('node_modules'))
    .join(delimiter)
  const { npm_execpath: script, npm_node_execpath: node } = process.env
  const [program, first] = script?.endsWith('.js') && node ? [node, [script]] : ['npm', []]
  const options = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync(program, [...first, ...options], {
    cwd: root,
    env: { ...process.env, PATH },
    stdio: 'inherit',
  })
  if (error) giveUp(`npm could not be run (${error.message}): install npm and try again.`)
  if (status !== 0) giveUp('`npm ci` failed; what it says stands above. Put that right and try again.')
}

/** What `npm start` and `npm test` run on: the clone's own Node, else the machine's, if that is new enough. */
const checkNode = () => {
  if (existsSync(ownNode) && !startsWell(ownNode)) {
    // npm's package is for glibc: elsewhere its program does not start, and would stand before the machine's own.
    rmSync(ownNode, { force: true })
  }
  if (existsSync(ownNode) || isNewEnough(process.versions.node)) return
  giveUp(
    `Parley runs on Node ${NODE_MAJOR} or newer. npm has none that runs on this ${process.platform} ${process.arch}, and this is ` +
      `Node ${process.versions.node}: install Node ${NODE_MAJOR} from https://nodejs.org/ and try again.`,
  )
}

/** @param {string} node */
const startsWell = (node) => {
  if (realpathSync(node) === process.execPath) return isNewEnough(process.versions.node)
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && isNewEnough(stdout.slice(1))
}

/** @param {string} program */
const onPath = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((place) => place !== '' && existsSync(join(place, program)))

const hasChromium = () => {
  const chosen = process.env.PARLEY_CHROMIUM
  if (chosen && !existsSync(chosen))
    giveUp(`PARLEY_CHROMIUM=${chosen}: there is no such file. Give the path of a Chromium, or leave it out.`)
  return existsSync(chosen || '/usr/bin/chromium')
}

/** The tests start their server from the folder that holds both. @param {string} place */
const hasServer = (place) => ['initdb', 'postgres'].every((program) => existsSync(join(place, program)))

const hasPostgres = () => {
  const debian = '/usr/lib/postgresql'
  const majors = existsSync(debian) ? readdirSync(debian) : []
  if (majors.some((major) => Number(major) >= POSTGRES_MAJOR && hasServer(join(debian, major, 'bin'))))
    return true
  const place = (process.env.PATH ?? '').split(delimiter).find((it) => it !== '' && hasServer(it))
  if (!place) return false
  const { stdout = '' } = spawnSync(join(place, 'postgres'), ['--version'], { encoding: 'utf8' })
  return Number(/\d+/.exec(stdout)?.[0]) >= POSTGRES_MAJOR
}

const missingPackages = () => [
  ...(hasChromium() ? [] : ['chromium']),
  ...(hasPostgres() ? [] : ['postgresql']),
]

/** @param {string[]} missing */
const installPackages = (missing) => {
  const wanted = missing.join(' ')
  const byHand = `apt-get update && apt-get install --yes --no-install-recommends ${wanted}`
  if (!onPath('apt-get'))
    giveUp(
      `The tests need ${missing.join(' and ')}, and only Debian's packages are installed by themselves: install ` +
        `Chromium (or set PARLEY_CHROMIUM to one) and PostgreSQL ${POSTGRES_MAJOR} or newer, and try again.`,
    )
  const isRoot = process.getuid?.() === 0
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0)
    giveUp(`The tests need ${missing.join(' and ')}, and only root may install that: sudo sh -c '${byHand}'`)
  console.log(`Installing ${missing.join(' and ')} from Debian's packages …`)
  const asRoot = isRoot ? ['env'] : ['sudo', '-n', 'env']
  const environment = 'DEBIAN_FRONTEND=noninteractive'
  for (const step of [
    ['update', '--quiet'],
    ['install', '--quiet', '--yes', '--no-install-recommends', ...missing],
  ]) {
    const [program, ...rest] = [...asRoot, environment, 'apt-get', ...step]
    if (spawnSync(program, rest, { stdio: 'inherit' }).status !== 0)
      giveUp(
        `apt-get could not install ${missing.join(' and ')}; what it says stands above. By hand: ${byHand}`,
      )
  }
  const still = missingPackages()
  if (still.length > 0)
    giveUp(
      `Debian's ${still.join(' and ')} did not bring what the tests need: PostgreSQL must be ${POSTGRES_MAJOR} or newer.`,
    )
}

if (!isInstalled()) install()
checkNode()
if (forTests) {
  const missing = missingPackages()
  if (missing.length > 0) installPackages(missing)
}

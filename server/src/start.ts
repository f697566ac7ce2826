/** Starts the house: settings → open → listen → close on a signal. */
import { mkdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import pino from 'pino'
import { keepSealKey } from './accounts/seal-key.ts'
import { type HouseOptions, openHouse } from './app.ts'
import { banner } from './banner.ts'
import { explain } from './explain.ts'
import { readSettings, type Settings, SettingsError } from './settings.ts'

const settingsOrExit = (): Settings => {
  try {
    return readSettings(process.env)
  } catch (fault) {
    if (!(fault instanceof SettingsError)) throw fault
    console.error(fault.message)
    process.exit(1)
  }
}

/** The house logs what went wrong as `fault`; unknown to the logger, an error would be written as `{}`. */
const serializers = { fault: pino.stdSerializers.err }

const openLog = ({ log: { level, pretty } }: Settings): pino.Logger =>
  pretty
    ? pino({ level, serializers, transport: { target: 'pino-pretty', options: { destination: 2 } } })
    : pino({ level, serializers }, pino.destination(2))

const optionsFrom = (settings: Settings, log: pino.Logger): HouseOptions => ({
  where: settings.databaseUrl
    ? { kind: 'postgres', url: settings.databaseUrl }
    : { kind: 'folder', folder: settings.dataFolder },
  host: settings.host,
  port: settings.port,
  publicUrl: settings.publicUrl,
  sealKey: settings.sealKey ?? keepSealKey(settings.dataFolder),
  account: settings.account,
  webhooks: settings.webhooks,
  limits: settings.limits,
  eventsDays: settings.eventsDays,
  media: settings.media,
  webchatOrigins: settings.webchatOrigins,
  log,
})

/**
 * Gives back what the start has used and nobody needs again (compiling is most of it), some 50 MB: the engine would
 * keep it for the life of an idle house. Half-way measures leave it most of the heap's pages, hence the last resort.
 * Takes some 50 ms, once.
 */
const giveBackMemory = (): void => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (how: { type: string; flavor: string }) => void
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', flavor: 'last-resort' })
}

/** Ctrl-C under npm arrives twice, from the terminal and from npm; whoever asks again later than this means now. */
const ECHO_MS = 1_000

const settings = settingsOrExit()
const log = openLog(settings)

try {
  mkdirSync(settings.dataFolder, { recursive: true, mode: 0o700 })
  const house = await openHouse(optionsFrom(settings, log))
  console.log(banner(house, settings))
  giveBackMemory()

  let closingSince: number | undefined
  const close = async (signal: string): Promise<void> => {
    if (closingSince !== undefined) {
      if (performance.now() - closingSince > ECHO_MS) process.exit(1)
      return
    }
    closingSince = performance.now()
    log.info({ signal }, 'closing: requests that run are finished, new ones are not taken')
    await house[Symbol.asyncDispose]()
    process.exit(0)
  }
  process.on('SIGINT', () => void close('SIGINT'))
  process.on('SIGTERM', () => void close('SIGTERM'))
} catch (fault) {
  console.error(explain(fault as Error, settings))
  process.exit(1)
}

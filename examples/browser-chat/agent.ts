/**
 * The agent's side in a terminal: Ana becomes available, takes the conversation that is offered, and talks in it by
 * the published chat SDK. What is typed here is said; `/picture <file>` sends a picture, `/end` completes the task.
 */
import { clearLine, createInterface, cursorTo, emitKeypressEvents } from 'node:readline'
import { setTimeout as after } from 'node:timers/promises'
import { Client } from 'twilio-chat'
import { talk } from './agent-talk.ts'
import { readSettings } from './settings.ts'
import { mintToken, openClient, orStop, socketUrl } from './twilio.ts'

const NAME = 'Ana'
const POLL_MS = 1_000
const AGAIN_AFTER_MS = 2_000

const where = readSettings(process.env)
const { flexApi, taskrouter } = openClient(where)
const { taskrouterWorkspaceSid, chatServiceInstanceSid: chatServiceSid } = await orStop(
  flexApi.v1.configuration().fetch(),
  where,
)
const workspace = taskrouter.v1.workspaces(taskrouterWorkspaceSid)

const hire = async () =>
  (await workspace.workers.list({ friendlyName: NAME }))[0] ??
  (await workspace.workers.create({
    friendlyName: NAME,
    attributes: JSON.stringify({ full_name: NAME, contact_uri: 'client:ana' }),
  }))

const ana = await orStop(hire(), where)
const { reservations } = workspace.workers(ana.sid)

const become = async (friendlyName: 'Available' | 'Offline'): Promise<void> => {
  const [activity] = await workspace.activities.list({ friendlyName })
  if (activity) await workspace.workers(ana.sid).update({ activitySid: activity.sid })
}

/** In Node the SDK leaves a request that a broken connection took along to nobody; it comes back by itself. */
process.on('unhandledRejection', (fault) => {
  if (!String(fault).includes('disconnected')) console.error('Left undone:', fault)
})

const newToken = (): string =>
  mintToken({
    accountSid: where.accountSid,
    key: where.key,
    chatServiceSid,
    identity: NAME,
    ttl: where.tokenTtl,
  })

/** All that changes in a program that uses the SDK: where it connects. */
const client = new Client(newToken(), { Twilsock: { uri: socketUrl(where.apiUrl) } })
for (const event of ['tokenAboutToExpire', 'tokenExpired'] as const)
  client.on(event, () => void client.updateToken(newToken()))
client.on('connectionError', ({ message, errorCode }) =>
  print(`No connection: ${message} (${errorCode ?? '–'})`),
)
await new Promise<void>((resolve) => {
  client.on('stateChanged', (state) => {
    if (state === 'initialized') resolve()
  })
})

const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: '' })
emitKeypressEvents(process.stdin)

/** What is being typed stays below what is told. */
const print = (line: string): void => {
  if (terminal.terminal) {
    cursorTo(process.stdout, 0)
    clearLine(process.stdout, 0)
  }
  console.log(line)
  if (terminal.terminal) terminal.prompt(true)
}

let isTalking = false
terminal.on('line', (line) => {
  if (line.trim() && !isTalking) print('Nobody is here to read that yet.')
})

/** The conversation of an earlier run that goes on, or one that is offered. */
const nextReservation = async () => {
  for (;;) {
    const all = await reservations.list().catch(() => [])
    const next =
      all.find((it) => it.reservationStatus === 'accepted') ??
      all.find((it) => it.reservationStatus === 'pending')
    if (next) return next
    await after(POLL_MS)
  }
}

const available = orStop(become('Available'), where)

const leave = async (): Promise<never> => {
  await available
  await become('Offline').catch(() => undefined)
  await client.shutdown().catch(() => undefined)
  process.exit(0)
}
process.once('SIGINT', () => void leave())
process.once('SIGTERM', () => void leave())
terminal.once('SIGINT', () => void leave())
terminal.once('close', () => void leave())

await available
print(`${NAME} is available. Waiting for a conversation; Ctrl-C goes offline.`)
for (;;) {
  const { sid, taskSid, reservationStatus } = await nextReservation()
  const task = workspace.tasks(taskSid)
  try {
    if (reservationStatus === 'pending') await reservations(sid).update({ reservationStatus: 'accepted' })
    const { channelSid } = JSON.parse((await task.fetch()).attributes)
    const complete = async (): Promise<void> =>
      void (await task.update({ assignmentStatus: 'completed', reason: 'The conversation is over' }))
    isTalking = true
    await talk({ client, channelSid, terminal, keys: process.stdin, print, complete })
  } catch (fault) {
    print(`The conversation got lost: ${fault instanceof Error ? fault.message : fault}`)
    await after(AGAIN_AFTER_MS)
  } finally {
    isTalking = false
  }
}

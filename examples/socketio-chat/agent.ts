/**
 * The agent's side in a terminal: Ana becomes available, takes the conversation that is offered, reads what the
 * visitor writes and answers with what is typed here. `/end` completes the task.
 */
import { createInterface } from 'node:readline'
import { setTimeout as after } from 'node:timers/promises'
import twilio from 'twilio'
import { readWhere, required } from './settings.ts'
import { openClient, openClientWith, orStop } from './twilio.ts'

const NAME = 'Ana'
const POLL_MS = 1_000
/** Seconds. */
const TOKEN_TTL = 3_600

const where = readWhere(process.env)
const key = required(process.env, ['TWILIO_API_KEY', 'TWILIO_API_SECRET'])
const client = openClient(where)

const { taskrouterWorkspaceSid, chatServiceInstanceSid } = await orStop(
  client.flexApi.v1.configuration().fetch(),
  where,
)
const workspace = client.taskrouter.v1.workspaces(taskrouterWorkspaceSid)
const chat = client.chat.v2.services(chatServiceInstanceSid)

const hire = async () =>
  (await workspace.workers.list({ friendlyName: NAME }))[0] ??
  (await workspace.workers.create({
    friendlyName: NAME,
    attributes: JSON.stringify({ full_name: NAME, contact_uri: 'client:ana' }),
  }))

const ana = await orStop(hire(), where)

const become = async (friendlyName: 'Available' | 'Offline'): Promise<void> => {
  const [activity] = await workspace.activities.list({ friendlyName })
  if (activity) await workspace.workers(ana.sid).update({ activitySid: activity.sid })
}

/** What an agent says comes from a client of theirs, so it is said with their own access token: its Source is SDK. */
const say = async (channelSid: string, body: string): Promise<void> => {
  const { AccessToken } = twilio.jwt
  const token = new AccessToken(where.accountSid, key.TWILIO_API_KEY, key.TWILIO_API_SECRET, {
    identity: NAME,
    ttl: TOKEN_TTL,
  })
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: chatServiceInstanceSid }))
  const asAna = openClientWith(token.toJwt(), where)
  await asAna.chat.v2.services(chatServiceInstanceSid).channels(channelSid).messages.create({ body })
}

const terminal = createInterface({ input: process.stdin })
let onLine = async (_: string): Promise<void> => console.log('Nobody is here to read that yet.')
const nobody = onLine

/** Lines one after the other, so that they arrive as they were typed. */
let typed = Promise.resolve()
terminal.on('line', (line) => {
  if (line.trim())
    typed = typed
      .then(() => onLine(line.trim()))
      .catch((fault: Error) => console.log(`Not done: ${fault.message}`))
})

const reservations = workspace.workers(ana.sid).reservations

/** The conversation of an earlier run that goes on, or one that is offered. */
const nextReservation = async () => {
  for (;;) {
    const all = await reservations.list()
    const next =
      all.find((it) => it.reservationStatus === 'accepted') ??
      all.find((it) => it.reservationStatus === 'pending')
    if (next) return next
    await after(POLL_MS)
  }
}

const converse = async (reservationSid: string, taskSid: string): Promise<void> => {
  const task = workspace.tasks(taskSid)
  const { channelSid, name } = JSON.parse((await task.fetch()).attributes)
  const visitor = await chat
    .users(name)
    .fetch()
    .then((user) => user.friendlyName)
    .catch(() => name)
  console.log(`You are talking with ${visitor}. Type an answer, or /end.`)
  onLine = async (line) => {
    if (line === '/end')
      await task.update({ assignmentStatus: 'completed', reason: 'The conversation is over' })
    else await say(channelSid, line)
  }
  let read = -1
  for (;;) {
    const { reservationStatus } = await reservations(reservationSid).fetch()
    if (reservationStatus !== 'accepted') break
    for (const { index, from, body } of await chat.channels(channelSid).messages.list()) {
      if (index > read && from !== NAME) console.log(`${visitor}: ${body}`)
      read = Math.max(read, index)
    }
    await after(POLL_MS)
  }
  onLine = nobody
  console.log(`The conversation with ${visitor} is over.`)
}

const available = orStop(become('Available'), where)

const leave = async (): Promise<never> => {
  await Promise.all([available, typed])
  await become('Offline')
  process.exit(0)
}
terminal.on('close', () => void leave())
process.once('SIGINT', () => void leave())
process.once('SIGTERM', () => void leave())

await available
console.log(`${NAME} is available. Waiting for a conversation; Ctrl-C goes offline.`)
for (;;) {
  const { sid, taskSid, reservationStatus } = await nextReservation()
  try {
    if (reservationStatus === 'pending') await reservations(sid).update({ reservationStatus: 'accepted' })
    await converse(sid, taskSid)
  } catch (fault) {
    console.log(`The conversation got lost: ${fault instanceof Error ? fault.message : fault}`)
    onLine = nobody
    await after(POLL_MS)
  }
}

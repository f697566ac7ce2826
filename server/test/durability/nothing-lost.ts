/**
 * Fifty posters write while the process is killed again and again at random moments. Afterwards: every acknowledged
 * message is there once, in order, without gaps; every conversation has exactly one task; every webhook that was owed
 * came, each under one idempotency token.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { openListener } from '../world/listener.ts'
import { sparePort } from '../world/spare-port.ts'
import { startProcess } from './process.ts'

const POSTERS = 50
/** How often it is killed, where that takes no longer than `KILLING_MS`; and how often wherever. */
const KILLS = 20
const KILLS_MIN = 8
const KILLING_MS = 120_000
const CHANNELS = 25

/** How long the process lives between two kills, in milliseconds: a moment at random. */
const LIFE_MIN_MS = 150
const LIFE_MAX_MS = 900

/** A busy machine takes longer to begin: it lives until as many messages as there are posters were acknowledged. */
const LIFE_LONGEST_MS = 60_000

/**
 * After the last start, how long nothing may arrive while something is owed, in milliseconds: more than a lease of a
 * process that was killed.
 */
const QUIET_MAX_MS = 60_000

const accountSid = `AC${'c'.repeat(32)}`
const authToken = 'c'.repeat(32)
const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`

type Json = Readonly<Record<string, unknown>>

interface Acknowledged {
  readonly sid: string
  readonly channel: string
  readonly index: number
  readonly poster: number
  readonly number: number
}

export const nothingLost = async (where: Readonly<Record<string, string>>): Promise<void> => {
  await using listener = await openListener()
  const port = await sparePort()
  const url = `http://127.0.0.1:${port}`
  const start = () =>
    startProcess(url, {
      ...where,
      PORT: String(port),
      PARLEY_ACCOUNT_SID: accountSid,
      PARLEY_AUTH_TOKEN: authToken,
      PARLEY_REQUESTS_PER_SECOND: '0',
    })

  const ask = async (method: string, path: string, form?: Record<string, string>): Promise<Json> => {
    const answer = await fetch(path.startsWith('http') ? path : url + path, {
      method,
      headers: { authorization, 'x-twilio-webhook-enabled': 'true' },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    })
    const body = (await answer.json()) as Json
    if (!answer.ok) throw new Error(`${answer.status} ${JSON.stringify(body)}`)
    return body
  }
  const all = async (path: string, key: string): Promise<Json[]> => {
    const rows: Json[] = []
    for (let next: string | null = path; next; ) {
      const page: Json = await ask('GET', next)
      rows.push(...(page[key] as Json[]))
      next = (page.meta as { next_page_url: string | null }).next_page_url
    }
    return rows
  }

  let process = await start()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => process.kill())
  const configuration = await ask('GET', '/v1/Configuration')
  const service = configuration.chat_service_instance_sid as string
  const flow = await ask('POST', '/v1/FlexFlows', {
    FriendlyName: 'Custom',
    ChatServiceSid: service,
    ChannelType: 'custom',
    IntegrationType: 'task',
    'Integration.WorkspaceSid': configuration.taskrouter_workspace_sid as string,
    'Integration.WorkflowSid': configuration.taskrouter_target_workflow_sid as string,
    'Integration.Channel': 'chat',
    'Integration.CreationOnMessage': 'true',
  })
  const begin = async (target: string): Promise<string> => {
    const made = await ask('POST', '/v1/Channels', {
      FlexFlowSid: flow.sid as string,
      Identity: target,
      ChatUserFriendlyName: target,
      ChatFriendlyName: `Chat with ${target}`,
      Target: target,
    })
    await ask('POST', `/v2/Services/${service}/Channels/${made.sid}/Webhooks`, {
      Type: 'webhook',
      'Configuration.Url': listener.url('/hook'),
      'Configuration.Filters': 'onMessageSent',
    })
    return made.sid as string
  }
  const channels: string[] = []
  for (let at = 0; at < CHANNELS; at += 1) channels.push(await begin(`visitor-${at}`))

  const acknowledged: Acknowledged[] = []
  let over = false
  /** Resolves while there is a process to talk to. */
  let alive: Promise<unknown> = Promise.resolve()
  const poster = async (poster: number): Promise<void> => {
    for (let number = 0; !over; number += 1) {
      await alive
      const channel = channels[randomInt(CHANNELS)] as string
      const sent = await ask('POST', `/v2/Services/${service}/Channels/${channel}/Messages`, {
        Body: `${poster}:${number}`,
        From: `poster-${poster}`,
      }).catch(() => undefined)
      if (sent)
        acknowledged.push({ sid: sent.sid as string, channel, index: sent.index as number, poster, number })
    }
  }
  const posters = Array.from({ length: POSTERS }, (_, at) => poster(at))
  const enough = performance.now() + KILLING_MS
  let kills = 0
  for (; kills < KILLS && (kills < KILLS_MIN || performance.now() < enough); kills += 1) {
    const before = acknowledged.length
    await new Promise((resolve) => setTimeout(resolve, randomInt(LIFE_MIN_MS, LIFE_MAX_MS)))
    const longest = performance.now() + LIFE_LONGEST_MS
    while (acknowledged.length < before + POSTERS && performance.now() < longest)
      await new Promise((resolve) => setTimeout(resolve, 5))
    await process.kill()
    const started = start()
    alive = started
    process = await started
  }
  over = true
  await Promise.all(posters)
  assert.ok(acknowledged.length >= kills * POSTERS, `${acknowledged.length} messages are a load`)

  const stored = new Map<string, Json[]>()
  for (const channel of channels)
    stored.set(
      channel,
      await all(`/v2/Services/${service}/Channels/${channel}/Messages?PageSize=100`, 'messages'),
    )

  for (const [channel, messages] of stored) {
    assert.deepEqual(
      messages.map((it) => it.index),
      messages.map((_, at) => at),
      `the indices of ${channel} have no gaps`,
    )
    const bodies = messages.map((it) => it.body)
    assert.equal(new Set(bodies).size, bodies.length, `no message of ${channel} is there twice`)
  }
  const bySid = new Map([...stored.values()].flat().map((it) => [it.sid, it]))
  for (const it of acknowledged) {
    const kept = bySid.get(it.sid)
    assert.ok(kept, `message ${it.sid} was acknowledged and is there`)
    assert.equal(kept.index, it.index)
    assert.equal(kept.body, `${it.poster}:${it.number}`)
  }

  const tasks = await all(
    `/v1/Workspaces/${configuration.taskrouter_workspace_sid}/Tasks?PageSize=1000`,
    'tasks',
  )
  const taskChannels = tasks.map((it) => (JSON.parse(it.attributes as string) as Json).channelSid as string)
  const talked = channels.filter((it) => stored.get(it)?.length)
  assert.deepEqual(taskChannels.sort(), talked.sort(), 'each conversation that began has exactly one task')

  const owed = [...bySid.keys()] as string[]
  const unheard = (): string[] => {
    const came = new Set(listener.at('/hook').map((it) => it.form.MessageSid))
    return owed.filter((it) => !came.has(it))
  }
  let missing = unheard()
  let quietSince = performance.now()
  while (missing.length && performance.now() < quietSince + QUIET_MAX_MS) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    const still = unheard()
    if (still.length < missing.length) quietSince = performance.now()
    missing = still
  }
  const [first] = missing.length
    ? await all(`/v1/Parley/Deliveries?MessageSid=${missing[0]}`, 'deliveries')
    : []
  assert.deepEqual(
    missing,
    [],
    `every webhook that was owed came; the ledger of the first: ${JSON.stringify(first)}`,
  )
  const tokens = new Map<string, Set<unknown>>()
  for (const { form, headers } of listener.at('/hook')) {
    const sid = form.MessageSid ?? ''
    tokens.set(sid, (tokens.get(sid) ?? new Set()).add(headers['i-twilio-idempotency-token']))
  }
  assert.ok(
    [...tokens.values()].every((it) => it.size === 1),
    'a webhook that comes twice has the same idempotency token',
  )
  assert.equal(await process.close(), 0)
}

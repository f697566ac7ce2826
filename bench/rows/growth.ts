/**
 * Does it stay as fast? Posts into a nearly empty store and into one with 1,000,000 messages in 100,000 channels, and
 * how long a start takes on the full one.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { copier, type Sample, sid } from '../copies.ts'
import { ask, newFolder, openParley } from '../programs.ts'
import type { Row } from '../table.ts'
import { measurePosts } from './post.ts'

const FEW_CHANNELS = 1_000
const CHANNELS = 100_000
const MESSAGES_EACH = 10
const RATIO_MIN = 0.9
const START_MS_MAX = 2_000

/** As JSON: makes the whole a gigabyte. */
const ATTRIBUTES = JSON.stringify({ order: 'a'.repeat(540) })

const MB = 1024 * 1024

/** Copies one channel and its message as often as is wanted. @returns the new channels */
const fill = (folder: string, from: number, to: number, messagesEach: number): string[] => {
  const db = new DatabaseSync(join(folder, 'parley.db'))
  const channel = db.prepare('select * from channels where messages_count = 1').get() as Sample
  const message = db.prepare('select * from messages where channel_sid = ?').get(channel.sid ?? '') as Sample
  const addChannel = copier(db, 'channels', channel)
  const addMessage = copier(db, 'messages', message)
  const counters = Object.hasOwn(channel, 'last_index') ? { last_index: messagesEach - 1 } : {}
  const made: string[] = []
  db.exec('begin')
  for (let at = from; at < to; at += 1) {
    const channelSid = sid('CH', at)
    made.push(channelSid)
    addChannel({ sid: channelSid, messages_count: messagesEach, ...counters })
    for (let index = 0; index < messagesEach; index += 1)
      addMessage({ sid: sid('IM', at * messagesEach + index), channel_sid: channelSid, index })
  }
  db.exec('commit')
  db.close()
  return made
}

export const growthRows = async (): Promise<readonly Row[]> => {
  await using folder = await newFolder()
  const service = await (async () => {
    await using parley = await openParley(folder.path)
    const made = (await ask(parley.url, 'POST', '/v2/Services', { FriendlyName: 'Bench' })).sid as string
    const channel = (await ask(parley.url, 'POST', `/v2/Services/${made}/Channels`, {})).sid
    await ask(parley.url, 'POST', `/v2/Services/${made}/Channels/${channel}/Messages`, {
      Body: 'a'.repeat(80),
      Attributes: ATTRIBUTES,
    })
    return made
  })()
  const few = fill(folder.path, 0, FEW_CHANNELS, 0)
  const empty = await (async () => {
    await using parley = await openParley(folder.path)
    return await measurePosts(parley.url, service, few)
  })()
  const many = fill(folder.path, FEW_CHANNELS, CHANNELS, MESSAGES_EACH)
  const megabytes = statSync(join(folder.path, 'parley.db')).size / MB
  await using parley = await openParley(folder.path)
  const full = await measurePosts(parley.url, service, many)
  const ratio = full.perSecond / empty.perSecond
  return [
    {
      what: 'REST message post with 1,000,000 messages in 100,000 channels, against an empty store',
      ours: `${Math.round(full.perSecond)}/s, p99 ${full.p99Ms.toFixed(1)} ms`,
      ceiling: `${Math.round(empty.perSecond)}/s, p99 ${empty.p99Ms.toFixed(1)} ms (empty)`,
      ratio,
      budget: `≥ ${RATIO_MIN}`,
      holds: ratio >= RATIO_MIN && full.failed + empty.failed === 0,
      numbers: { empty, full, megabytes },
    },
    {
      what: `start to ready, ${Math.round(megabytes)} MB of data`,
      ours: `${Math.round(parley.readyMs)} ms`,
      ceiling: '',
      ratio: parley.readyMs / START_MS_MAX,
      budget: `< ${START_MS_MAX} ms`,
      holds: parley.readyMs < START_MS_MAX,
      numbers: { readyMs: parley.readyMs, megabytes },
    },
  ]
}

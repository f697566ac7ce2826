import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { MessageRow } from '@parley/contract/chat/message.ts'
import type { UserRow } from '@parley/contract/chat/user.ts'
import type { EventName, EventOf } from '@parley/contract/event.ts'
import { chat } from './chat.ts'
import type { Told } from './spelling.ts'

const MOMENT = Date.UTC(2026, 5, 1, 12, 0, 0, 986)
const vera: Actor = { kind: 'client', identity: 'vera' }

const tell = <N extends EventName & keyof typeof chat>(
  name: N,
  about: Omit<EventOf<N>, 'name' | 'accountSid' | 'at' | 'actor'>,
): Told => {
  const spelling = chat[name]
  assert.ok('tell' in spelling)
  return (spelling.tell as (event: object) => Told)({
    name,
    accountSid: 'AC1',
    at: MOMENT,
    actor: vera,
    ...about,
  })
}

const channel: ChannelRow = {
  sid: 'CH1',
  account_sid: 'AC1',
  service_sid: 'IS1',
  friendly_name: null,
  unique_name: null,
  attributes: '{}',
  type: 'private',
  date_created: MOMENT,
  date_updated: MOMENT,
  created_by: 'system',
  members_count: 0,
  messages_count: 1,
  last_index: 0,
  last_message_sid: 'IM1',
  last_message_index: 0,
  last_message_at: MOMENT,
  document_event: 1,
  messages_event: 1,
  roster_event: 0,
}

const message: MessageRow = {
  sid: 'IM1',
  account_sid: 'AC1',
  attributes: '{}',
  service_sid: 'IS1',
  to: 'CH1',
  channel_sid: 'CH1',
  date_created: MOMENT,
  date_updated: MOMENT,
  last_updated_by: null,
  was_edited: 0,
  from: 'vera',
  body: null,
  index: 0,
  type: 'media',
  media: '{"sid":"ME1","size":12,"content_type":"image/png","filename":"cat.png"}',
  member_sid: null,
  added_event: 1,
  event: 1,
}

const user: UserRow = {
  sid: 'US1',
  account_sid: 'AC1',
  service_sid: 'IS1',
  attributes: '{}',
  friendly_name: null,
  role_sid: 'RL1',
  identity: 'vera',
  is_online: null,
  is_notifiable: null,
  date_created: MOMENT,
  date_updated: MOMENT,
  joined_channels_count: 0,
  places_event: 0,
  name_event: 1,
  attributes_event: 2,
  reachability_event: 3,
  info_event: 3,
}

test('a message with media is told by another name, with what the media is', () => {
  const { eventType, fields } = tell('message.added', { channel, message })
  assert.equal(eventType, 'onMediaMessageSent')
  assert.deepEqual(fields, {
    ChannelSid: 'CH1',
    MessageSid: 'IM1',
    Index: '0',
    Body: '',
    Attributes: '{}',
    From: 'vera',
    DateCreated: '2026-06-01T12:00:00.986Z',
    To: 'CH1',
    MediaSid: 'ME1',
    MediaSize: '12',
    MediaContentType: 'image/png',
    MediaFilename: 'cat.png',
  })
})

test('names that were never set are told empty', () => {
  const { fields } = tell('channel.added', { channel })
  assert.equal(fields.FriendlyName, '')
  assert.equal(fields.UniqueName, '')
})

test('whether a user is online is told only where it is known', () => {
  assert.ok(!('IsOnline' in tell('user.updated', { user }).fields))
  const { IsOnline, IsNotifiable } = tell('user.updated', {
    user: { ...user, is_online: 1, is_notifiable: 0 },
  }).fields
  assert.deepEqual([IsOnline, IsNotifiable], ['true', 'false'])
})

test('what keeps its order is the channel, or else the user', () => {
  assert.equal(tell('message.added', { channel, message }).about, 'CH1')
  assert.equal(tell('user.added', { user }).about, 'US1')
})

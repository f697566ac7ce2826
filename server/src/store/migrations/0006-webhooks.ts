import type { Migration } from './index.ts'

export const webhooks: Migration = {
  name: '0006-webhooks',
  statements: [
    `create table deliveries (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      channel_sid text,
      message_sid text,
      event_type text not null,
      webhook_sid text,
      webhook_type text not null,
      webhook_url text not null,
      webhook_method text not null,
      params text not null,
      state text not null,
      rule text not null,
      idempotency_token text,
      attempts_count bigint not null,
      outcome text,
      retry_count bigint not null,
      lane text,
      place bigint not null,
      next_attempt_at bigint,
      failing_since bigint,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    // With the age, so that a lane is gone through without its rows: an index of ages would cost each post more.
    // Every statement that uses this one spells out state = 'pending': an engine cannot know it of a parameter.
    `create index deliveries_pending on deliveries (lane, place, date_created) where state = 'pending'`,
    'create index deliveries_of_account on deliveries (account_sid, sid)',
    'create index deliveries_of_channel on deliveries (channel_sid, sid) where channel_sid is not null',
    'create index deliveries_of_message on deliveries (message_sid, sid) where message_sid is not null',
    `create table delivery_attempts (
      delivery_sid text not null,
      number bigint not null,
      at bigint not null,
      duration_ms bigint not null,
      outcome text not null,
      reason text,
      request text not null,
      answer text,
      primary key (delivery_sid, number)
    )`,
    // The sweep sets itself anew each time it ran; this is its first.
    `insert into jobs (sid, kind, key, lane, data, due_at, leased_until, attempts, last_error, version)
      values ('JB00000000000000000000000000005eeb', 'webhooks.sweep', 'webhooks.sweep', 'webhooks.sweep', '{}',
        0, null, 0, null, 0)`,
  ],
}

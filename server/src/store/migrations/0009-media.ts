import type { Migration } from './index.ts'

export const media: Migration = {
  name: '0009-media',
  statements: [
    `create table media (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      channel_sid text,
      message_sid text,
      uploaded_by text,
      category text not null,
      content_type text not null,
      filename text,
      size bigint not null,
      kept_as text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create unique index media_by_place on media (kept_as)',
    'create index media_unclaimed on media (date_created) where message_sid is null',
    // The sweep sets itself anew each time it ran; this is its first.
    `insert into jobs (sid, kind, key, lane, data, due_at, leased_until, attempts, last_error, version)
      values ('JB0000000000000000000000000000fade', 'media.sweep', 'media.sweep', 'media.sweep', '{}',
        0, null, 0, null, 0)`,
  ],
}

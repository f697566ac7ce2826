import type { Migration } from './index.ts'

/** What sockets follow is numbered: each object counts its events, and each item carries the number of its last. */
export const followed: Migration = {
  name: '0007-followed',
  statements: [
    'alter table channels add column last_message_index bigint',
    'alter table channels add column last_message_at bigint',
    'alter table channels add column document_event bigint not null default 0',
    'alter table channels add column messages_event bigint not null default 0',
    'alter table channels add column roster_event bigint not null default 0',
    `update channels set
      last_message_index = (select m."index" from messages m where m.sid = channels.last_message_sid),
      last_message_at = (select m.date_created from messages m where m.sid = channels.last_message_sid)`,

    'alter table messages add column added_event bigint not null default 0',
    'alter table messages add column event bigint not null default 0',
    // Those that were only added are found by their indices.
    'create index messages_changed on messages (channel_sid, event) where event > added_event',

    `alter table members add column user_sid text not null default ''`,
    'alter table members add column added_event bigint not null default 0',
    'alter table members add column event bigint not null default 0',
    'alter table members add column place_added_event bigint not null default 0',
    'alter table members add column place_event bigint not null default 0',
    `update members set user_sid = coalesce((select u.sid from users u
      where u.service_sid = members.service_sid and u.identity = members.identity), '')`,

    `alter table invites add column user_sid text not null default ''`,
    'alter table invites add column place_added_event bigint not null default 0',
    'alter table invites add column place_event bigint not null default 0',
    `update invites set user_sid = coalesce((select u.sid from users u
      where u.service_sid = invites.service_sid and u.identity = invites.identity), '')`,

    'alter table users add column places_event bigint not null default 0',
    'alter table users add column info_event bigint not null default 0',
    'alter table users add column name_event bigint not null default 0',
    'alter table users add column attributes_event bigint not null default 0',
    'alter table users add column reachability_event bigint not null default 0',

    `create table tombstones (
      object text not null,
      item text not null,
      event bigint not null,
      service_sid text not null,
      at bigint not null,
      primary key (object, item)
    )`,
    'create index tombstones_of_object on tombstones (object, event)',
    'create index tombstones_of_service on tombstones (service_sid)',

    `create table presences (
      user_sid text not null,
      node text not null,
      service_sid text not null,
      primary key (user_sid, node)
    )`,
    'create index presences_of_node on presences (node)',
    'create index presences_of_service on presences (service_sid)',
    `create table nodes (
      sid text primary key,
      seen_at bigint not null
    )`,
  ],
}

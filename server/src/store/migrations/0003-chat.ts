import type { Migration } from './index.ts'

export const chat: Migration = {
  name: '0003-chat',
  statements: [
    `create table services (
      sid text primary key,
      account_sid text not null,
      friendly_name text not null,
      date_created bigint not null,
      date_updated bigint not null,
      default_service_role_sid text not null,
      default_channel_role_sid text not null,
      default_channel_creator_role_sid text not null,
      read_status_enabled bigint not null,
      reachability_enabled bigint not null,
      typing_indicator_timeout bigint not null,
      consumption_report_interval bigint not null,
      limits text not null,
      pre_webhook_url text,
      post_webhook_url text,
      webhook_method text,
      webhook_filters text,
      pre_webhook_retry_count bigint not null,
      post_webhook_retry_count bigint not null,
      notifications text not null,
      media text not null
    )`,
    'create index services_of_account on services (account_sid, sid)',

    `create table roles (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      friendly_name text not null,
      "type" text not null,
      permissions text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create index roles_of_service on roles (service_sid, sid)',

    `create table users (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      identity text not null,
      friendly_name text,
      attributes text not null,
      role_sid text not null,
      joined_channels_count bigint not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create unique index users_by_identity on users (service_sid, identity)',
    'create index users_of_service on users (service_sid, sid)',

    `create table channels (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      friendly_name text,
      unique_name text,
      attributes text not null,
      "type" text not null,
      created_by text not null,
      members_count bigint not null,
      messages_count bigint not null,
      last_index bigint not null,
      last_message_sid text,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create unique index channels_by_name on channels (service_sid, unique_name) where unique_name is not null',
    'create index channels_of_service on channels (service_sid, sid)',

    `create table members (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      channel_sid text not null,
      identity text not null,
      role_sid text not null,
      attributes text not null,
      last_consumed_message_index bigint,
      last_consumption_timestamp bigint,
      notification_level text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create unique index members_by_identity on members (channel_sid, identity)',
    'create index members_of_channel on members (channel_sid, sid)',
    'create index members_of_user on members (service_sid, identity, channel_sid)',

    `create table messages (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      channel_sid text not null,
      "index" bigint not null,
      "from" text not null,
      "type" text not null,
      body text,
      attributes text not null,
      media text,
      last_updated_by text,
      was_edited bigint not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create unique index messages_by_index on messages (channel_sid, "index")',

    `create table invites (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      channel_sid text not null,
      identity text not null,
      role_sid text not null,
      created_by text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create unique index invites_by_identity on invites (channel_sid, identity)',
    'create index invites_of_channel on invites (channel_sid, sid)',
    'create index invites_of_user on invites (service_sid, identity, channel_sid)',

    `create table channel_webhooks (
      sid text primary key,
      account_sid text not null,
      service_sid text not null,
      channel_sid text not null,
      "type" text not null,
      configuration text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create index channel_webhooks_of_channel on channel_webhooks (channel_sid, sid)',
  ],
}

import type { Migration } from './index.ts'

export const flex: Migration = {
  name: '0005-flex',
  statements: [
    `create table flex_flows (
      sid text primary key,
      account_sid text not null,
      friendly_name text not null,
      chat_service_sid text not null,
      channel_type text not null,
      contact_identity text,
      enabled bigint not null,
      integration_type text not null,
      integration text not null,
      long_lived bigint not null,
      janitor_enabled bigint not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create index flex_flows_of_account on flex_flows (account_sid, sid)',
    `create unique index flex_flows_enabled on flex_flows
      (account_sid, channel_type, coalesce(contact_identity, '')) where enabled = 1`,

    `create table flex_configurations (
      account_sid text primary key,
      document text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,

    `create table engagements (
      sid text primary key,
      account_sid text not null,
      kind text not null,
      flex_flow_sid text not null,
      chat_service_sid text not null,
      identity text not null,
      user_sid text,
      task_sid text,
      webhook_sid text,
      target text,
      live_target text,
      state text not null,
      long_lived bigint not null,
      janitor_enabled bigint not null,
      integration_type text not null,
      integration text not null,
      task_attributes text not null,
      awaits_message bigint not null,
      started_at bigint not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    'create index engagements_of_account on engagements (account_sid, sid)',
    `create unique index engagements_by_live_target on engagements (flex_flow_sid, kind, live_target)
      where live_target is not null`,
  ],
}

import type { Migration } from './index.ts'

export const accounts: Migration = {
  name: '0001-accounts',
  statements: [
    `create table accounts (
      sid text primary key,
      friendly_name text not null,
      owner_sid text not null,
      status text not null,
      auth_token_sealed text not null,
      date_created bigint not null,
      date_updated bigint not null
    )`,
    `create table api_keys (
      sid text primary key,
      account_sid text not null,
      friendly_name text not null,
      secret_sealed text not null,
      date_created bigint not null
    )`,
    'create index api_keys_of_account on api_keys (account_sid)',
  ],
}

export interface AccountTables {
  accounts: {
    sid: string
    friendly_name: string
    /** The account that made it; its own SID for the first. */
    owner_sid: string
    status: 'active' | 'suspended'
    auth_token_sealed: string
    date_created: number
    date_updated: number
  }
  api_keys: {
    sid: string
    account_sid: string
    friendly_name: string
    secret_sealed: string
    date_created: number
  }
}

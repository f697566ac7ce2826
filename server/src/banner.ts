/** What a start prints: every address, the credentials, and a line to try. */
import type { House } from './app.ts'
import type { Settings } from './settings.ts'

export const banner = ({ account, publicUrl }: House, settings: Settings): string => `
Parley is ready at ${publicUrl}

  REST (flex, chat, taskrouter, studio)   ${publicUrl}
  Chat socket (Twilsock.uri)              ${publicUrl.replace('http', 'ws')}/v3/wsconnect
  API documents                           ${publicUrl}/docs
  OpenAPI                                 ${publicUrl}/openapi.json
  Alive, ready, metrics                   ${publicUrl}/healthz  /readyz  /metrics
  Webhook ledger                          ${publicUrl}/v1/Parley/Deliveries
  Data                                    ${settings.databaseUrl ? 'PostgreSQL (DATABASE_URL)' : settings.dataFolder}

  Account SID      ${account.sid}
  Auth token       ${account.authToken}
  API key SID      ${account.apiKeySid}
  API key secret   ${account.apiKeySecret}

  Try it:
    curl -u ${account.sid}:${account.authToken} ${publicUrl}/v1/Configuration
`

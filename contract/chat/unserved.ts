/** What is published for chat and not served here. */
import { unserved } from '../resource.ts'

const S = '/v2/Services/{ServiceSid}'

export const ChatUnserved = [
  unserved('chat', 'push notifications are not sent by this server, so no device is bound to receive them', [
    `GET ${S}/Bindings`,
    `GET ${S}/Bindings/{Sid}`,
    `DELETE ${S}/Bindings/{Sid}`,
    `GET ${S}/Users/{UserSid}/Bindings`,
    `GET ${S}/Users/{UserSid}/Bindings/{Sid}`,
    `DELETE ${S}/Users/{UserSid}/Bindings/{Sid}`,
  ]),
  unserved('chat', 'push notifications are not sent by this server, so it keeps no credentials for them', [
    'GET /v2/Credentials',
    'POST /v2/Credentials',
    'GET /v2/Credentials/{Sid}',
    'POST /v2/Credentials/{Sid}',
    'DELETE /v2/Credentials/{Sid}',
  ]),
] as const

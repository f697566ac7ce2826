/** What a client asks first: what it is called here, what it may follow, and where everything is. */
import { FOLLOWED, mediaLimitOf, requireService } from '../../../chat/index.ts'
import type { TunnelledAnswer } from '../../client.ts'
import type { Asked } from './asked.ts'
import { PAGE_SIZE } from './page.ts'
import { addressOf, inServiceAddress } from './shown.ts'

/** How many users a client follows at once. */
export const USERS_FOLLOWED_MAX = 100

/** Clients keep an answer for a tenth of that many seconds. */
export const HTTP_CACHE_S = 5

const MB_BYTES = 1024 * 1024

/** A message has one file. */
const FILES_MAX = 1

/** As ISO 8601 writes a duration. */
export const seconds = (count: number): string => `PT${count}S`

export const configuration = async (asked: Asked): Promise<TunnelledAnswer> => {
  const { api, client, serviceSid, version } = asked
  const service = await requireService(api.reader, client.accountSid, serviceSid)
  const media = `${api.publicUrl}/v1/Services/${serviceSid}`
  return {
    status: 200,
    body: {
      options: {
        reachability_enabled: service.reachability_enabled === 1,
        user_infos_to_subscribe: USERS_FOLLOWED_MAX,
        consumption_report_interval: seconds(service.consumption_report_interval),
        http_cache_interval: seconds(HTTP_CACHE_S),
        my_conversations_page_size: PAGE_SIZE,
        ...(version === 'v2' ? fileOptions(mediaLimitOf(service)) : {}),
      },
      sync_objects: {
        my_conversations: FOLLOWED.places(client.userSid),
        my_user_info: FOLLOWED.info(client.userSid),
      },
      links: {
        my_conversations: inServiceAddress(asked, `Users/${client.userSid}/Conversations`),
        conversations: inServiceAddress(asked, 'Conversations'),
        users: inServiceAddress(asked, 'Users'),
        current_user: inServiceAddress(asked, `Users/${client.userSid}`),
        typing: inServiceAddress(asked, 'Typing'),
        media_service: `${media}/Media`,
        media_set_service: `${media}/MediaSet`,
        messages_receipts: inServiceAddress(asked, 'Conversations/%s/Messages/%s/Receipts'),
      },
      identity: client.identity,
      url: addressOf(asked, 'Configuration'),
    },
  }
}

const fileOptions = (bytesMax: number) => ({
  media_attachments_count_limit: FILES_MAX,
  media_attachment_size_limit_in_mb: bytesMax / MB_BYTES,
  media_attachments_total_size_limit_in_mb: bytesMax / MB_BYTES,
  email_histories_allowed_mime_types: [],
  email_bodies_allowed_mime_types: [],
})

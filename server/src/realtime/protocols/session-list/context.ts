/** What a session tells its client first: who it is, what it may follow, and where everything is. */
import { FOLLOWED, requireService } from '../../../chat/index.ts'
import type { Client } from '../../client.ts'
import type { ChatApi } from '../chat/asked.ts'
import { HTTP_CACHE_S, seconds, USERS_FOLLOWED_MAX } from '../chat/configuration.ts'

/** Its links are put behind a host of the client's own. */
export const sessionContext = async ({ reader }: ChatApi, client: Client): Promise<object> => {
  const { accountSid, serviceSid, userSid, identity } = client
  const service = await requireService(reader, accountSid, serviceSid)
  const inService = `/v1/Services/${serviceSid}`
  return {
    type: 'IpMsgSession',
    apiVersion: '3',
    identity,
    userInfo: FOLLOWED.info(userSid),
    myChannels: FOLLOWED.places(userSid),
    channels: `${serviceSid}.channels`,
    reachabilityEnabled: service.reachability_enabled === 1,
    userInfosToSubscribe: USERS_FOLLOWED_MAX,
    consumptionReportInterval: seconds(service.consumption_report_interval),
    httpCacheInterval: seconds(HTTP_CACHE_S),
    links: {
      publicChannelsUrl: `${inService}/PublicChannels`,
      myChannelsUrl: `${inService}/MyChannels`,
      syncListUrl: `${inService}/SyncList`,
      usersUrl: `${inService}/Users`,
      typingUrl: '/v1/typing',
      mediaServiceUrl: `${inService}/Media`,
    },
  }
}

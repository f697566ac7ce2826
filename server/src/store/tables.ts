/** Every table, by room. A row is the same row on both engines: text and whole numbers only. */
import type { AccountTables } from './tables/accounts.ts'
import type { ChatTables } from './tables/chat.ts'
import type { FlexTables } from './tables/flex.ts'
import type { HouseTables } from './tables/house.ts'
import type { MediaTables } from './tables/media.ts'
import type { StatisticsTables } from './tables/statistics.ts'
import type { TaskRouterTables } from './tables/taskrouter.ts'
import type { WebhookTables } from './tables/webhooks.ts'

export interface Tables
  extends AccountTables,
    ChatTables,
    TaskRouterTables,
    StatisticsTables,
    FlexTables,
    MediaTables,
    WebhookTables,
    HouseTables {}

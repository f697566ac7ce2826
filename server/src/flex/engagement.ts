/**
 * An engagement: a customer's conversation as Flex sees it, from its first message to its end. It is live while the
 * attributes of its chat channel do not say INACTIVE; whoever writes them, the engagement follows.
 *
 * Rows are locked in this order: the chat channel, then its engagement.
 */
import type { Actor } from '@parley/contract/actor.ts'
import type { ChannelRow } from '@parley/contract/chat/channel.ts'
import type { TaskIntegration } from '@parley/contract/flex/flex-flow.ts'
import type { Selectable } from 'kysely'
import { findChannel } from '../chat/index.ts'
import { reaction } from '../events/react.ts'
import { listing } from '../store/listing.ts'
import { changing, reading } from '../store/query.ts'
import { find, remove, update } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Reader, Tx } from '../store/tx.ts'
import { findTask } from '../taskrouter/index.ts'
import { saysOver } from './attributes.ts'
import { dismissGuests, seatGuestAgain } from './guest.ts'

export type EngagementRow = Selectable<Tables['engagements']>

/** What Flex does of its own accord: nobody asked to hear of it. */
export const FLEX: Actor = { kind: 'api', webhooks: false }

export const findEngagement = (
  reader: Reader,
  accountSid: string,
  channelSid: string,
): Promise<EngagementRow | undefined> =>
  find(reader, 'engagements', { sid: channelSid, account_sid: accountSid })

export const engagementsOf = listing(
  'engagements',
  'sid',
  (query, at: { accountSid: string; kind?: EngagementRow['kind'] | undefined }, given) => {
    const ofAccount = query.where('account_sid', '=', at.accountSid)
    return given('kind') ? ofAccount.where('kind', '=', at.kind as EngagementRow['kind']) : ofAccount
  },
)

const locked = reading((db, at: { sid: string }, dialect) =>
  dialect.lock(db.selectFrom('engagements').selectAll().where('sid', '=', at.sid)),
)

/** The engagement as it now stands, and nobody else's to change until the transaction ends. */
export const lockEngagement = (tx: Tx, channelSid: string): Promise<EngagementRow | undefined> =>
  locked.first(tx, { sid: channelSid })

export const changeEngagement = (
  tx: Tx,
  sid: string,
  changes: Partial<Omit<EngagementRow, 'sid' | 'account_sid' | 'date_updated'>>,
): Promise<EngagementRow | undefined> =>
  update(tx, 'engagements', { sid }, { ...changes, date_updated: tx.now() })

export const isTaskOver = (status: string): boolean => status === 'completed' || status === 'canceled'

const asTaskIntegration = (it: EngagementRow): TaskIntegration | undefined =>
  it.integration_type === 'task' ? (JSON.parse(it.integration) as TaskIntegration) : undefined

/** The chat channel says that the conversation is over. */
const end = async (tx: Tx, it: EngagementRow, actor: Actor): Promise<void> => {
  await changeEngagement(tx, it.sid, {
    state: 'ended',
    awaits_message: 0,
    live_target: it.long_lived === 1 ? it.live_target : null,
  })
  tx.record({
    name: 'engagement.ended',
    accountSid: it.account_sid,
    at: tx.now(),
    actor,
    channelSid: it.sid,
    flexFlowSid: it.flex_flow_sid,
  })
  if (it.integration_type !== 'task') await dismissGuests(tx, it)
}

/** Free: no other engagement has begun under its target since. */
const takeTarget = changing(
  (db, at: { sid: string; flexFlowSid: string; kind: EngagementRow['kind']; target: string }) =>
    db
      .updateTable('engagements')
      .set({ live_target: at.target })
      .where('sid', '=', at.sid)
      .where((it) =>
        it.not(
          it.exists(
            it
              .selectFrom('engagements as other')
              .select('other.sid')
              .where('other.flex_flow_sid', '=', at.flexFlowSid)
              .where('other.kind', '=', at.kind)
              .where('other.live_target', '=', at.target),
          ),
        ),
      ),
)

/** The chat channel says that it goes on after all. */
const goOn = async (tx: Tx, it: EngagementRow, channel: ChannelRow, actor: Actor): Promise<void> => {
  const task = it.task_sid === null ? undefined : await findTask(tx, it.account_sid, it.task_sid)
  const hasTask = task !== undefined && !isTaskOver(task.assignment_status)
  await changeEngagement(tx, it.sid, {
    state: 'live',
    task_sid: hasTask ? it.task_sid : null,
    awaits_message: Number(asTaskIntegration(it) !== undefined && !hasTask),
  })
  if (it.target !== null && it.live_target === null)
    await takeTarget.run(tx, { sid: it.sid, flexFlowSid: it.flex_flow_sid, kind: it.kind, target: it.target })
  await seatGuestAgain(tx, it, channel)
  tx.record({
    name: 'engagement.started',
    accountSid: it.account_sid,
    at: tx.now(),
    actor,
    channelSid: it.sid,
    flexFlowSid: it.flex_flow_sid,
    taskSid: hasTask ? it.task_sid : null,
  })
}

/** Middleware, the widget, the agent's desktop: whoever sets the status of the channel, the engagement follows. */
export const follow = reaction({
  name: 'flex: follow the status of the channel',
  to: ['channel.updated'],
  react: async (tx, { accountSid, actor, channel }) => {
    if (!(await findEngagement(tx, accountSid, channel.sid))) return
    const engagement = await lockEngagement(tx, channel.sid)
    // What is being told may be older than what is: a reaction that failed comes again later.
    const now = await findChannel(tx, accountSid, channel.sid)
    if (!engagement || !now) return
    const over = saysOver(now.attributes)
    if (over === true && engagement.state === 'live') await end(tx, engagement, actor)
    else if (over === false && engagement.state === 'ended') await goOn(tx, engagement, now, actor)
  },
})

/** Forgets an engagement. @returns whether there was one */
export const forget = async (
  tx: Tx,
  accountSid: string,
  channelSid: string,
  actor: Actor,
): Promise<boolean> => {
  const engagement = await findEngagement(tx, accountSid, channelSid)
  if (!engagement || (await remove(tx, 'engagements', { sid: channelSid })) === 0) return false
  if (engagement.state === 'live')
    tx.record({
      name: 'engagement.ended',
      accountSid,
      at: tx.now(),
      actor,
      channelSid,
      flexFlowSid: engagement.flex_flow_sid,
    })
  return true
}

/** The service that is gone took every channel with it. */
export const followServiceRemoval = reaction({
  name: 'flex: forget what a service took with it',
  to: ['service.removed'],
  react: async (tx, { accountSid, service }) => {
    await remove(tx, 'engagements', { account_sid: accountSid, chat_service_sid: service.sid })
  },
})

export const followDestruction = reaction({
  name: 'flex: forget what was destroyed',
  to: ['channel.destroyed'],
  react: async (tx, { accountSid, actor, channel }) => {
    await forget(tx, accountSid, channel.sid, actor)
  },
})

/**
 * The log of events: each is written once, in the transaction that did it, so that what happened and the record of it
 * are there together or not at all.
 *
 * It is a reaction and not part of `tx.record`: the verbs stay free of it, and a fault in it is undone alone and tried
 * again rather than lost with the verb. A workspace that has an `EventCallbackUrl` is told by `event.kept`.
 */
import { sourceOf } from '@parley/contract/actor.ts'
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import type { Selectable } from 'kysely'
import { type JointReaction, jointReaction } from '../events/react.ts'
import { find, insertAll } from '../store/rows.ts'
import type { Tables } from '../store/tables.ts'
import type { Tx } from '../store/tx.ts'
import { RECORDED, type Recorded, tellEvent, workspaceSidOf } from './event-data.ts'
import { workspaceSeen } from './parents.ts'

export const keepEvents: JointReaction = jointReaction({
  name: 'taskrouter: keep events',
  to: RECORDED,
  reactToAll: async (tx, events) => {
    const rows: Kept[] = []
    for (const event of events) {
      const workspace = await workspaceOf(tx, event)
      if (!workspace) continue
      const kept = await rowOf(tx, event, workspace)
      rows.push(kept)
      const { accountSid, at, actor } = event
      if (workspace.event_callback_url)
        tx.record({ name: 'event.kept', accountSid, at, actor, workspace, kept })
    }
    await insertAll(tx, 'taskrouter_events', rows)
  },
})

type Kept = Selectable<Tables['taskrouter_events']>

const rowOf = async (tx: Tx, event: Recorded, workspace: WorkspaceRow): Promise<Kept> => {
  const { data, description, about } = tellEvent(event, workspace)
  return {
    sid: tx.newSid('EV'),
    account_sid: event.accountSid,
    workspace_sid: workspace.sid,
    event_type: event.name,
    event_date: event.at,
    event_date_ms: event.at,
    description,
    event_data: JSON.stringify(data),
    ...(await actorOf(tx, event, workspace)),
    resource_sid: about.sid,
    resource_type: about.type,
    source_ip_address: null,
    task_sid: data.task_sid ?? null,
    reservation_sid: data.reservation_sid ?? null,
    worker_sid: data.worker_sid ?? null,
    task_queue_sid: data.task_queue_sid ?? null,
    workflow_sid: data.workflow_sid ?? null,
    task_channel_sid: data.task_channel_sid ?? null,
  }
}

/** An event of the workspace itself has it along: as it now stands, or stood before it was deleted. */
const workspaceOf = async (tx: Tx, event: Recorded): Promise<WorkspaceRow | undefined> =>
  'workspace' in event ? event.workspace : workspaceSeen(tx, workspaceSidOf(event))

interface By {
  readonly actor_type: string
  readonly actor_sid: string | null
  readonly source: string
}

/** The workspace where nobody asked, the account whose back end did, or the worker whose token did. */
const actorOf = async (tx: Tx, event: Recorded, workspace: WorkspaceRow): Promise<By> => {
  const { actor } = event
  if (actor.kind === 'api')
    return actor.house
      ? { actor_type: 'workspace', actor_sid: workspace.sid, source: 'taskrouter' }
      : { actor_type: 'account', actor_sid: event.accountSid, source: 'api' }
  const source = sourceOf(actor).toLowerCase()
  const isOwn = 'worker' in event && event.worker.friendly_name === actor.identity
  const named = { workspace_sid: workspace.sid, friendly_name: actor.identity }
  const worker = isOwn ? event.worker : await find(tx, 'workers', named)
  return worker
    ? { actor_type: 'worker', actor_sid: worker.sid, source }
    : { actor_type: 'user', actor_sid: null, source }
}

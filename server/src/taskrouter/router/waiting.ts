/** What waits and who is free, read off the indexes: each question costs by what it finds, not by what there is. */
import { type Kysely, sql } from 'kysely'
import { reading, readingUpTo } from '../../store/query.ts'
import type { Tables } from '../../store/tables.ts'

/**
 * The lanes of a workspace that have a waiting task, after a given name. The recursion jumps from one lane's first entry
 * in the index to the next lane's, so that ten thousand tasks in three lanes cost four look-ups.
 */
const lanesAfter = (db: Kysely<Tables>, workspaceSid: string, after: string) =>
  db
    .withRecursive('found(lane)', (query) =>
      query
        .selectFrom('tasks')
        .select((it) => it.fn.min('lane').as('lane'))
        .where('workspace_sid', '=', workspaceSid)
        .where('waits', '=', 1)
        .where('lane', '>', after)
        .unionAll(
          query
            .selectFrom('found')
            .select(
              sql<string | null>`(select min(t.lane) from tasks t where t.workspace_sid = ${workspaceSid}
                and t.waits = 1 and t.lane > found.lane)`.as('lane'),
            )
            .where('found.lane', 'is not', null),
        ),
    )
    .selectFrom('found')
    .select('lane')
    .where('lane', 'is not', null)

/** Every lane of a workspace that has a waiting task. */
export const lanesWaiting = reading((db, at: { workspaceSid: string }) => lanesAfter(db, at.workspaceSid, ''))

/** How many lanes `someLanesWaiting` finds at the most. */
export const SOME_LANES = 100

/** The first lanes with a waiting task after a given name, for who reads them by the page. */
export const someLanesWaiting = reading((db, at: { workspaceSid: string; after: string }) =>
  lanesAfter(db, at.workspaceSid, at.after).limit(SOME_LANES),
)

/** The most that `waitingBefore` counts: who waits behind so many wants to know no more. */
export const COUNTED_MAX = 10_000

/** How many tasks of a lane wait before a given place in it. */
export const waitingBefore = reading(
  (db, at: { workspaceSid: string; lane: string; priorityDown: number; turn: number; sid: string }) =>
    db
      .selectFrom((it) =>
        it
          .selectFrom('tasks')
          .select('sid')
          .where('workspace_sid', '=', at.workspaceSid)
          .where('waits', '=', 1)
          .where('lane', '=', at.lane)
          .where(sql<boolean>`(priority_down, turn, sid) < (${at.priorityDown}, ${at.turn}, ${at.sid})`)
          .limit(COUNTED_MAX)
          .as('before'),
      )
      .select((it) => it.fn.countAll<number>().as('count')),
)

/** The next tasks of a lane, in their turn, after a given one. */
export const nextTasks = readingUpTo(
  (db, at: { workspaceSid: string; lane: string; priorityDown: number; turn: number; sid: string }, limit) =>
    db
      .selectFrom('tasks')
      .select([
        'sid',
        'priority',
        'priority_down',
        'turn',
        'virtual_start_time',
        'offers',
        'offers_max',
        'refusals',
      ])
      .where('workspace_sid', '=', at.workspaceSid)
      .where('waits', '=', 1)
      .where('lane', '=', at.lane)
      .where(sql<boolean>`(priority_down, turn, sid) > (${at.priorityDown}, ${at.turn}, ${at.sid})`)
      .orderBy('priority_down')
      .orderBy('turn')
      .orderBy('sid')
      .limit(limit),
)

/** Any task of a lane: all that decides who can take it is the same for each. */
export const oneOf = reading((db, at: { workspaceSid: string; lane: string }) =>
  db
    .selectFrom('tasks')
    .select(['task_queue_sid', 'task_channel_sid', 'target', 'attributes'])
    .where('workspace_sid', '=', at.workspaceSid)
    .where('waits', '=', 1)
    .where('lane', '=', at.lane)
    .limit(1),
)

export const queuesBySid = reading((db, at: { sids: string }, dialect) =>
  db
    .selectFrom('task_queues')
    .selectAll()
    .where((it) => dialect.isOneOf(it.ref('sid'), at.sids)),
)

/** Workers whose channel is open, those idle longest first, after a given one. */
export const openWorkers = readingUpTo(
  (db, at: { taskChannelSid: string; idleSince: number; workerSid: string }, limit) =>
    db
      .selectFrom('worker_channels as c')
      .innerJoin('workers as w', 'w.sid', 'c.worker_sid')
      .select(['c.worker_sid as sid', 'c.idle_since', 'w.version'])
      .where('c.task_channel_sid', '=', at.taskChannelSid)
      .where('c.open', '=', 1)
      .where(sql<boolean>`(c.idle_since, c.worker_sid) > (${at.idleSince}, ${at.workerSid})`)
      .orderBy('c.idle_since')
      .orderBy('c.worker_sid')
      .limit(limit),
)

interface Named {
  /** As JSON lists. */
  sids: string
  taskChannelSids: string
}

/** Workers who are named, each with their channels of these task channels. */
export const namedWorkers = reading((db, at: Named, dialect) =>
  db
    .selectFrom('workers as w')
    .innerJoin('worker_channels as c', 'c.worker_sid', 'w.sid')
    .select(['w.sid', 'c.task_channel_sid', 'w.version'])
    .where((it) => dialect.isOneOf(it.ref('w.sid'), at.sids))
    .where((it) => dialect.isOneOf(it.ref('c.task_channel_sid'), at.taskChannelSids)),
)

/** Which of those channels are open. */
export const namedOpenWorkers = reading((db, at: Named, dialect) =>
  db
    .selectFrom('worker_channels')
    .select(['worker_sid', 'task_channel_sid'])
    .where('open', '=', 1)
    .where((it) => dialect.isOneOf(it.ref('worker_sid'), at.sids))
    .where((it) => dialect.isOneOf(it.ref('task_channel_sid'), at.taskChannelSids)),
)

export const workersBySid = reading((db, at: { sids: string }, dialect) =>
  db
    .selectFrom('workers')
    .selectAll()
    .where((it) => dialect.isOneOf(it.ref('sid'), at.sids)),
)

export const workersOfWorkspace = reading((db, at: { workspaceSid: string }) =>
  db
    .selectFrom('workers')
    .select(['sid', 'version', 'available', 'activity_sid'])
    .where('workspace_sid', '=', at.workspaceSid),
)

export const channelCounts = reading((db, at: { sids: string }, dialect) =>
  db
    .selectFrom('worker_channels')
    .select([
      'worker_sid',
      'task_channel_unique_name',
      'assigned_tasks',
      'reserved_tasks',
      'configured_capacity',
    ])
    .where((it) => dialect.isOneOf(it.ref('worker_sid'), at.sids)),
)

/** Who is offered these tasks, and who refused them and when. */
export const answersTo = reading((db, at: { sids: string }, dialect) =>
  db
    .selectFrom('reservations')
    .select(['task_sid', 'worker_sid', 'reservation_status', 'date_updated'])
    .where((it) => dialect.isOneOf(it.ref('task_sid'), at.sids)),
)

/** The TaskRouter stories: each served operation of taskrouter v1. */
import assert from 'node:assert/strict'
import type { Story } from './story.ts'
import type { Witness } from './witness.ts'

const newWorkspace = async ({ client }: Witness) =>
  client.taskrouter.v1.workspaces.create({ friendlyName: `Desk ${Math.floor(performance.now() * 1000)}` })

const anyone = (queue: string): string => JSON.stringify({ task_routing: { default_filter: { queue } } })

export const taskRouterStories: readonly Story[] = [
  {
    name: 'taskrouter: an admin keeps workspaces',
    tell: async (witness, world) => {
      const { workspaces } = witness.client.taskrouter.v1
      const workspace = await workspaces.create({
        friendlyName: 'North',
        eventCallbackUrl: world.listener.url('/events'),
        eventsFilter: 'task.created',
        multiTaskEnabled: true,
        template: 'NONE',
        prioritizeQueueOrder: 'FIFO',
      })
      await workspaces(workspace.sid).fetch()
      await workspaces(workspace.sid).update({ friendlyName: 'North desk', prioritizeQueueOrder: 'LIFO' })
      await workspaces.list({ friendlyName: 'North desk' })
      await workspaces(workspace.sid).remove()
    },
  },
  {
    name: 'taskrouter: an admin keeps activities',
    tell: async (witness) => {
      const { activities } = witness.client.taskrouter.v1.workspaces((await newWorkspace(witness)).sid)
      const lunch = await activities.create({ friendlyName: 'Lunch', available: false })
      await activities(lunch.sid).fetch()
      await activities(lunch.sid).update({ friendlyName: 'Long lunch' })
      await activities.list({ available: 'false' })
      await activities(lunch.sid).remove()
    },
  },
  {
    name: 'taskrouter: an admin keeps task channels',
    tell: async (witness) => {
      const { taskChannels } = witness.client.taskrouter.v1.workspaces((await newWorkspace(witness)).sid)
      const fax = await taskChannels.create({
        friendlyName: 'Fax',
        uniqueName: 'fax',
        channelOptimizedRouting: false,
      })
      await taskChannels('fax').fetch()
      await taskChannels(fax.sid).update({ friendlyName: 'Telefax' })
      await taskChannels.list()
      await taskChannels('fax').remove()
    },
  },
  {
    name: 'taskrouter: an admin keeps queues',
    tell: async (witness) => {
      const workspace = witness.client.taskrouter.v1.workspaces((await newWorkspace(witness)).sid)
      const { taskQueues } = workspace
      const queue = await taskQueues.create({
        friendlyName: 'Spanish',
        targetWorkers: 'languages HAS "es"',
        maxReservedWorkers: 2,
        taskOrder: 'FIFO',
      })
      await taskQueues(queue.sid).fetch()
      await taskQueues(queue.sid).update({
        friendlyName: 'Español',
        taskOrder: 'LIFO',
        maxReservedWorkers: 1,
      })
      await taskQueues.list({ evaluateWorkerAttributes: '{"languages":["es"]}' })
      await taskQueues(queue.sid).remove()
    },
  },
  {
    name: 'taskrouter: an admin keeps workflows',
    tell: async (witness, world) => {
      const { workflows, taskQueues } = witness.client.taskrouter.v1.workspaces(
        (await newWorkspace(witness)).sid,
      )
      const queue = await taskQueues.create({ friendlyName: 'All' })
      const workflow = await workflows.create({
        friendlyName: 'To all',
        configuration: anyone(queue.sid),
        assignmentCallbackUrl: world.listener.url('/assign'),
        fallbackAssignmentCallbackUrl: world.listener.url('/assign-else'),
        taskReservationTimeout: 60,
      })
      await workflows(workflow.sid).fetch()
      await workflows(workflow.sid).update({ friendlyName: 'To everybody', reEvaluateTasks: 'true' })
      await workflows.list({ friendlyName: 'To everybody' })
      await workflows(workflow.sid).remove()
    },
  },
  {
    name: 'taskrouter: an admin keeps workers and their channels',
    tell: async (witness) => {
      const { workers, activities } = witness.client.taskrouter.v1.workspaces(
        (await newWorkspace(witness)).sid,
      )
      const [activity] = await activities.list()
      assert.ok(activity)
      const ana = await workers.create({
        friendlyName: 'ana',
        attributes: '{"languages":["es"]}',
        activitySid: activity.sid,
      })
      await workers(ana.sid).fetch()
      await workers(ana.sid).update({
        attributes: '{"languages":["es","en"]}',
        rejectPendingReservations: true,
      })
      assert.equal((await workers.list({ targetWorkersExpression: 'languages HAS "en"' })).length, 1)
      const { workerChannels } = workers(ana.sid)
      const [channel] = await workerChannels.list()
      assert.ok(channel)
      await workerChannels(channel.sid).fetch()
      await workerChannels(channel.sid).update({ capacity: 3, available: true })
      await workers(ana.sid).remove()
    },
  },
  {
    name: 'taskrouter: a task finds its agent, who does it',
    tell: async (witness, world) => {
      const { sid } = await newWorkspace(witness)
      const { workers, activities, workflows, taskQueues, tasks } =
        witness.client.taskrouter.v1.workspaces(sid)
      const ready =
        (await activities.list()).find((it) => it.available) ??
        (await activities.create({ friendlyName: 'Ready', available: true }))
      const queue = await taskQueues.create({ friendlyName: 'All' })
      const workflow = await workflows.create({ friendlyName: 'To all', configuration: anyone(queue.sid) })
      const ana = await workers.create({ friendlyName: 'ana', activitySid: ready.sid })
      const task = await tasks.create({
        workflowSid: workflow.sid,
        attributes: '{"name":"Vera"}',
        priority: 5,
        timeout: 600,
        taskChannel: 'default',
      })
      await world.settle()
      await tasks(task.sid).fetch()
      await tasks(task.sid).update({ attributes: '{"name":"Vera","vip":true}', priority: 6 })
      assert.equal(
        (await tasks.list({ assignmentStatus: ['reserved'], ordering: 'Priority:desc' })).length,
        1,
      )
      const [reservation] = await tasks(task.sid).reservations.list({ workerSid: ana.sid })
      assert.ok(reservation)
      await tasks(task.sid).reservations(reservation.sid).fetch()
      const ofWorker = workers(ana.sid).reservations
      await ofWorker.list({ reservationStatus: 'pending' })
      await ofWorker(reservation.sid).fetch()
      await ofWorker(reservation.sid).update({ reservationStatus: 'accepted' })
      await tasks(task.sid).reservations(reservation.sid).update({ reservationStatus: 'completed' })
      assert.equal((await tasks(task.sid).fetch()).assignmentStatus, 'completed')
      const other = await tasks.create({ workflowSid: workflow.sid })
      await tasks(other.sid).remove()
    },
  },
  {
    name: 'taskrouter: an admin reads what happened to a task',
    tell: async (witness, world) => {
      const { sid } = await newWorkspace(witness)
      const { events, taskQueues, tasks, workers, workflows, activities } =
        witness.client.taskrouter.v1.workspaces(sid)
      const ready = (await activities.list()).find((it) => it.available)
      const queue = await taskQueues.create({ friendlyName: 'All' })
      const workflow = await workflows.create({ friendlyName: 'To all', configuration: anyone(queue.sid) })
      const ana = await workers.create({ friendlyName: 'ana', activitySid: ready?.sid as string })
      const task = await tasks.create({ workflowSid: workflow.sid })
      await world.settle()
      const [reservation] = await tasks(task.sid).reservations.list()
      assert.ok(reservation)
      await tasks(task.sid).reservations(reservation.sid).update({ reservationStatus: 'accepted' })
      const all = await events.list({
        ...{ taskSid: task.sid, workerSid: ana.sid, reservationSid: reservation.sid },
        ...{ taskQueueSid: queue.sid, workflowSid: workflow.sid, taskChannel: 'default' },
        ...{ minutes: 15, startDate: new Date(0), endDate: new Date(8.64e13) },
      })
      assert.deepEqual(
        all.map((it) => it.eventType),
        ['reservation.accepted', 'reservation.created'],
      )
      const [accepted] = await events.list({ eventType: 'reservation.accepted', taskSid: task.sid })
      assert.ok(accepted)
      await events(accepted.sid).fetch()
      assert.equal((await events.list({ sid: accepted.sid })).length, 1)
    },
  },
  {
    name: 'taskrouter: statistics tell a supervisor how a desk is doing',
    tell: async (witness, world) => {
      const { sid } = await newWorkspace(witness)
      const workspace = witness.client.taskrouter.v1.workspaces(sid)
      const { workers, activities, workflows, taskQueues, tasks } = workspace
      const ready = await activities.create({ friendlyName: 'Ready', available: true })
      const queue = await taskQueues.create({ friendlyName: 'All' })
      const workflow = await workflows.create({ friendlyName: 'To all', configuration: anyone(queue.sid) })
      const ana = await workers.create({ friendlyName: 'ana', activitySid: ready.sid })
      await tasks.create({ workflowSid: workflow.sid })
      await tasks.create({ workflowSid: workflow.sid })
      await world.settle()
      const window = { minutes: 60, taskChannel: 'default', splitByWaitTime: '5,30' }
      const between = {
        startDate: new Date(world.clock.now() - 3_600_000),
        endDate: new Date(world.clock.now()),
      }
      await workspace.statistics().fetch(window)
      await workspace.realTimeStatistics().fetch({ taskChannel: 'default' })
      await workspace.cumulativeStatistics().fetch(between)
      await taskQueues.statistics.list({ friendlyName: 'All', ...window })
      await taskQueues.bulkRealTimeStatistics.create({ TaskQueueSids: [queue.sid] } as object)
      await taskQueues(queue.sid).statistics().fetch(window)
      await taskQueues(queue.sid).realTimeStatistics().fetch()
      await taskQueues(queue.sid).cumulativeStatistics().fetch(window)
      await workers.statistics().fetch({ minutes: 60, taskQueueSid: queue.sid })
      await workers.realTimeStatistics().fetch({ taskChannel: 'default' })
      await workers.cumulativeStatistics().fetch({ minutes: 60 })
      await workers(ana.sid).statistics().fetch({ minutes: 60 })
      await workflows(workflow.sid).statistics().fetch(window)
      await workflows(workflow.sid).realTimeStatistics().fetch()
      await workflows(workflow.sid).cumulativeStatistics().fetch(window)
    },
  },
]

/** Every list of TaskRouter, page by page with the published clients, forth and back, on both engines. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openWorld, type World } from '../world/index.ts'
import { openCentre } from './centre.ts'
import { refused } from './refused.ts'

interface Page {
  readonly instances: readonly { readonly sid: string }[]
  nextPage(): Promise<Page> | undefined
  previousPage(): Promise<Page> | undefined
}

interface List {
  page(options: object): Promise<Page>
  list(options: object): Promise<readonly { readonly sid: string }[]>
}

/** A workspace with at least three of everything. */
const furnish = async (world: World) => {
  const centre = await openCentre(world, { routed: false })
  const { workspace } = centre
  const queue = await centre.queue('Q0', { maxReservedWorkers: 3 })
  const workflowSid = await centre.workflow('W0', { default_filter: { queue } })
  const workers: string[] = []
  for (const at of [1, 2, 3]) {
    await centre.queue(`Q${at}`)
    await centre.workflow(`W${at}`, { default_filter: { queue } })
    const worker = await centre.worker(`w${at}`)
    workers.push(worker)
    await workspace.workers(worker).workerChannels('default').update({ capacity: 5 })
  }
  const tasks = [1, 2, 3].map((priority) => centre.task({ workflowSid, priority }))
  const [task = ''] = await Promise.all(tasks)
  await world.settle()
  const { sid } = await workspace.fetch()
  return { sid, task, worker: workers[0] as string }
}

const listsOf = (client: World['twilio'], { sid, task, worker }: Awaited<ReturnType<typeof furnish>>) => {
  const { workspaces } = client.taskrouter.v1
  const within = workspaces(sid)
  return {
    workspaces,
    activities: within.activities,
    workers: within.workers,
    'workers by the expression of a queue': within.workers,
    'worker channels': within.workers(worker).workerChannels,
    'reservations of a worker': within.workers(worker).reservations,
    'task queues': within.taskQueues,
    'task queues for attributes': within.taskQueues,
    workflows: within.workflows,
    'task channels': within.taskChannels,
    tasks: within.tasks,
    'tasks in an order': within.tasks,
    'reservations of a task': within.tasks(task).reservations,
    events: within.events,
  } as unknown as Readonly<Record<string, List>>
}

/** What is asked beside the page. */
const FILTERS: Readonly<Record<string, object>> = {
  'workers by the expression of a queue': { taskQueueName: 'Q0', ordering: 'DateStatusChanged:desc' },
  'task queues for attributes': { evaluateWorkerAttributes: '{}', ordering: 'DateUpdated:desc' },
  'tasks in an order': { ordering: 'Priority:desc,DateCreated:asc', evaluateTaskAttributes: '1==1' },
}

const sidsOf = (rows: readonly { readonly sid: string }[]): string[] => rows.map((it) => it.sid)

for (const engine of ['memory', 'postgres'] as const)
  describe(`on ${engine}, every list`, () => {
    test('comes page by page, whole, in one order, forth and back', async () => {
      await using world = await openWorld({ engine })
      const furnished = await furnish(world)
      await world.twilio.taskrouter.v1.workspaces.create({ friendlyName: 'Third' })
      for (const client of [world.twilio, world.twilio5])
        for (const [name, list] of Object.entries(listsOf(client, furnished))) {
          const filter = FILTERS[name] ?? {}
          const all = sidsOf(await list.list(filter))
          assert.ok(all.length >= 3, `${name}: ${all.length}`)
          let page = await list.page({ ...filter, pageSize: 2 })
          const forth = sidsOf(page.instances)
          const pages = [sidsOf(page.instances)]
          for (let next = page.nextPage(); next; next = page.nextPage()) {
            page = await next
            forth.push(...sidsOf(page.instances))
            pages.push(sidsOf(page.instances))
          }
          assert.deepEqual(forth, all, name)
          for (const before of pages.slice(0, -1).reverse()) {
            page = await (page.previousPage() as Promise<Page>)
            assert.deepEqual(sidsOf(page.instances), before, `${name}, back`)
          }
        }
    })
  })

test('a page is named by its token alone, and by one that its list made', async () => {
  await using world = await openWorld()
  const furnished = await furnish(world)
  for (const [name, list] of Object.entries(listsOf(world.twilio, furnished))) {
    const filter = FILTERS[name] ?? {}
    await assert.rejects(list.page({ ...filter, pageNumber: 1 }), refused(400, 40153), name)
    assert.ok((await list.page({ ...filter, pageNumber: 0 })).instances.length)
    for (const pageToken of [
      'x',
      'PA',
      `PAWS${'g'.repeat(32)}`,
      `PA${Buffer.from('[1,{}]').toString('base64url')}`,
    ])
      await assert.rejects(list.page({ ...filter, pageToken }), refused(400, 20001, /PageToken/), name)
    await assert.rejects(list.page({ ...filter, pageSize: 0 }), refused(400, 20007), name)
  }
})

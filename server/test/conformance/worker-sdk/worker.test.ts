/** A worker's day with the published worker SDKs, each step held against REST. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openCentre } from '../../taskrouter/centre.ts'
import { openWorld } from '../../world/index.ts'
import { type Credentials, SDKS, type SdkVersion, sitDown, tokenOf } from './agent.ts'

for (const version of Object.keys(SDKS) as SdkVersion[])
  describe(`twilio-taskrouter ${version}`, () => {
    const open = async () => {
      const world = await openWorld()
      const centre = await openCentre(world)
      const workspaceSid = (await centre.workspace.fetch()).sid
      const token = (workerSid: string, more: Partial<Credentials> = {}) =>
        tokenOf(world, { workspaceSid, workerSid, ...more })
      const seen = (workerSid: string) => centre.workspace.workers(workerSid).fetch()
      return { world, centre, token, seen, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
    }

    test('comes in, sees activities, channels and reservations, and changes what they do and know', async () => {
      await using desk = await open()
      const { world, centre, token, seen } = desk
      const ana = await centre.worker('ana', { languages: ['de'] }, centre.offline)
      await using agent = await sitDown(version, token(ana), world.url)
      const { worker } = agent
      assert.equal(worker.sid, ana)
      assert.equal(worker.name, 'ana')
      assert.equal(worker.activity.available, false)
      assert.deepEqual(worker.attributes, { languages: ['de'] })
      assert.deepEqual([...worker.activities.values()].map((it) => it.name).sort(), [
        'Available',
        'Offline',
        'Unavailable',
      ])
      const channels = await centre.workspace.workers(ana).workerChannels.list()
      assert.equal(worker.channels.size, channels.length)
      assert.equal(worker.reservations.size, 0)

      await agent.activity('Available').setAsCurrent()
      await agent.until('activityUpdated')
      assert.equal(worker.activity.available, true)
      assert.equal((await seen(ana)).activityName, 'Available')

      await worker.setAttributes({ languages: ['de', 'fr'] })
      await agent.until('attributesUpdated')
      assert.deepEqual(worker.attributes, { languages: ['de', 'fr'] })
      assert.deepEqual(JSON.parse((await seen(ana)).attributes), { languages: ['de', 'fr'] })

      await centre.workspace.workers(ana).update({ activitySid: centre.away })
      await agent.until('activityUpdated', 2)
      assert.equal(worker.activity.name, 'Unavailable')

      const chat = centre.workspace.workers(ana).workerChannels('chat')
      await chat.update({ capacity: 3 })
      await agent.until('channel.capacityUpdated')
      await chat.update({ available: false })
      await agent.until('channel.availabilityUpdated')
      const known = [...worker.channels.values()].find((it) => it.taskChannelUniqueName === 'chat')
      assert.equal(known?.capacity, 3)
      assert.equal(known?.available, false)
      assert.equal(agent.count('error'), 0)
    })

    test('is offered a task, accepts it, wraps it up and completes it', async () => {
      await using desk = await open()
      const { world, centre, token } = desk
      const ana = await centre.worker('ana')
      await using agent = await sitDown(version, token(ana), world.url)
      const task = await centre.task({ attributes: JSON.stringify({ name: 'Vera' }) })
      await world.settle()
      await agent.until('reservationCreated')
      const { reservation } = agent
      assert.equal(reservation.task.sid, task)
      assert.deepEqual(reservation.task.attributes, { name: 'Vera' })
      assert.equal(reservation.task.status, 'reserved')
      assert.equal(reservation.timeout, 120)

      await reservation.accept()
      assert.equal(reservation.task.status, 'reserved')
      await agent.until('reservation.accepted')
      assert.equal(reservation.task.status, 'assigned')
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted'])

      await reservation.task.setAttributes({ name: 'Vera', crm: 42 })
      await agent.until('task.updated')
      assert.deepEqual(reservation.task.attributes, { name: 'Vera', crm: 42 })

      await reservation.task.wrapUp({ reason: 'said goodbye' })
      await agent.until('reservation.wrapup')
      assert.equal(await centre.statusOf(task), 'wrapping')

      await reservation.task.complete('solved')
      await agent.until('reservation.completed')
      assert.equal(await centre.statusOf(task), 'completed')
      assert.deepEqual(
        agent.heard.filter((it) => /^(task|reservation)/.test(it)),
        [
          'reservationCreated',
          'reservation.accepted',
          'task.updated',
          'task.wrapup',
          'reservation.wrapup',
          'task.completed',
          'reservation.completed',
        ],
      )
      assert.equal(agent.count('error'), 0)
    })
  })

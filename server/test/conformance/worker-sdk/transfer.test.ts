/** Tasks that are handed on with the published worker SDKs: what both workers hear, and what REST says meanwhile. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SDKS, type SdkVersion } from './agent.ts'
import { openDesk } from './desk.ts'

for (const version of Object.keys(SDKS) as SdkVersion[])
  describe(`with twilio-taskrouter ${version}`, () => {
    test('[EB70] a warm transfer is accepted, and both have the task until each is done', async () => {
      await using desk = await openDesk(version)
      const { centre } = desk
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      const task = await desk.give(ana)
      await ana.reservation.task.transfer(ben.worker.sid, { mode: 'WARM' } as never)
      await ana.until('task.transferInitiated')
      await ben.until('reservationCreated')
      assert.equal(await centre.statusOf(task), 'reserved')
      assert.equal(ben.reservation.task.transfers.incoming?.workerSid, ana.worker.sid)
      assert.equal(ana.transfer.mode, 'WARM')

      await ben.reservation.accept()
      await ana.until('transfer.completed')
      await ben.until('reservation.accepted')
      assert.equal(await centre.statusOf(task), 'assigned')
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:accepted'])

      await ana.reservation.complete()
      await ana.until('reservation.completed')
      assert.equal(await centre.statusOf(task), 'assigned')
      await ben.reservation.task.complete('solved')
      await ben.until('reservation.completed')
      assert.equal(await centre.statusOf(task), 'completed')
      assert.deepEqual([ana.count('error'), ben.count('error')], [0, 0])
    })

    test('[EB71] a warm transfer that is rejected leaves the task where it was', async () => {
      await using desk = await openDesk(version)
      const { centre } = desk
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      const task = await desk.give(ana)
      await ana.reservation.task.transfer(ben.worker.sid, {} as never)
      await ben.until('reservationCreated')
      await ben.reservation.reject()
      await ana.until('transfer.failed')
      await ana.until('task.updated')
      await ben.until('reservation.rejected')
      assert.equal(ana.reservation.task.status, 'assigned')
      assert.equal(await centre.statusOf(task), 'assigned')
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:rejected'])
    })

    test('[EB71] a transfer that nobody answers fails when its time is up', async () => {
      await using desk = await openDesk(version)
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      const task = await desk.give(ana)
      await ana.reservation.task.transfer(ben.worker.sid, {} as never)
      await ben.until('reservationCreated')
      desk.world.clock.advance(121_000)
      await desk.world.settle()
      await ben.until('reservation.timeout')
      await ana.until('transfer.failed')
      assert.equal(await desk.centre.statusOf(task), 'assigned')
    })

    test('[EB73] a transfer is canceled once, and not twice', async () => {
      await using desk = await openDesk(version)
      const { centre } = desk
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      const task = await desk.give(ana)
      await ana.reservation.task.transfer(ben.worker.sid, {} as never)
      await ana.until('task.transferInitiated')
      await ben.until('reservationCreated')
      const { transfer } = ana
      await transfer.cancel()
      await ana.until('transfer.canceled')
      await ana.until('task.updated')
      await ben.until('reservation.canceled')
      assert.equal(await centre.statusOf(task), 'assigned')
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:canceled'])
      await assert.rejects(transfer.cancel(), (fault: { message: string; response?: { data?: unknown } }) => {
        const said = `${fault.message} ${JSON.stringify(fault.response?.data ?? '')}`
        return said.includes(`Transfer ${transfer.sid} is already canceled . Cannot cancel transfer.`)
      })
    })

    test('[EB74] a cold transfer leaves its worker to tidy up, and its customer to the other', async () => {
      await using desk = await openDesk(version)
      const { centre } = desk
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      const task = await desk.give(ana)
      await ana.reservation.task.transfer(ben.worker.sid, { mode: 'COLD' } as never)
      await ana.until('task.transferInitiated')
      await ana.until('reservation.wrapup')
      await ben.until('reservationCreated')
      await ben.reservation.accept()
      await ana.until('transfer.completed')
      await ana.reservation.complete()
      await ana.until('reservation.completed')
      assert.equal(await centre.statusOf(task), 'assigned')
      assert.deepEqual(await centre.offersOf(task), ['ana:completed', 'ben:accepted'])
    })

    test('[EB74] a cold transfer that is rejected lets the task wait for somebody else', async () => {
      await using desk = await openDesk(version)
      const { centre } = desk
      const ana = await desk.sit('ana')
      const workflowSid = (await centre.workspace.workflows.list())[0]?.sid
      const task = await centre.task({ workflowSid })
      await desk.world.settle()
      await ana.until('reservationCreated')
      await ana.reservation.accept()
      await ana.until('reservation.accepted')
      const ben = await desk.sit('ben')
      await ana.reservation.task.transfer(ben.worker.sid, { mode: 'COLD' } as never)
      await ben.until('reservationCreated')
      const cleo = await desk.sit('cleo')
      await ben.reservation.reject()
      await ana.until('transfer.failed')
      await desk.world.settle()
      await cleo.until('reservationCreated')
      await cleo.reservation.accept()
      await cleo.until('reservation.accepted')
      assert.deepEqual(await centre.offersOf(task), ['ana:wrapping', 'ben:rejected', 'cleo:accepted'])
    })

    test('[EB72] a transfer to a queue goes on until somebody takes it', async () => {
      await using desk = await openDesk(version)
      const { centre, world } = desk
      const ana = await desk.sit('ana')
      const ben = await desk.sit('ben')
      const queue = await centre.queue('Second line', { targetWorkers: '1==1' })
      const task = await desk.give(ana)
      await ana.reservation.task.transfer(queue, { mode: 'WARM' } as never)
      await ana.until('task.transferInitiated')
      await world.settle()
      await ben.until('reservationCreated')
      await ben.reservation.reject({ activitySid: centre.away } as never)
      await ana.until('transfer.attemptFailed')
      assert.equal(await centre.statusOf(task), 'pending')
      const cleo = await desk.sit('cleo')
      await world.settle()
      await cleo.until('reservationCreated')
      await cleo.reservation.accept()
      await ana.until('transfer.completed')
      assert.deepEqual(await centre.offersOf(task), ['ana:accepted', 'ben:rejected', 'cleo:accepted'])
    })
  })

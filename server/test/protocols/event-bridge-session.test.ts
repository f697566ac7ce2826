/** What the event bridge offers to clients that come back often: who asks, and what became of what. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { type Json, openBridge } from './bridge.ts'

describe('clients that come back', () => {
  test('[EB52] ask what became of a transfer, which is theirs alone to see', async () => {
    await using bridge = await openBridge()
    const [ana, ben] = [await bridge.centre.worker('ana'), await bridge.centre.worker('ben')]
    await using raw = await bridge.begin(ana)
    const task = await bridge.centre.task({ routingTarget: ana })
    await bridge.world.settle()
    const reservation = (await raw.hears('reservation.created')).sid
    const post = (path: string, params: object) => bridge.ask('POST', path, bridge.token(ana), params)
    await post(`Workers/${ana}/Reservations/${reservation}`, { ReservationStatus: 'accepted' })
    const given = await post(`Workers/${ana}/Transfers`, {
      TaskSid: task,
      ReservationSid: reservation,
      To: ben,
    })
    const path = `Workers/${ana}/Transfers/${given.body.sid}`
    const status = async () => (await bridge.ask('GET', path, bridge.token(ana))).body.transfer_status
    assert.equal(await status(), 'initiated')
    await bridge.world.settle()
    await bridge.centre.answer(task, 'ben', 'accepted')
    assert.equal(await status(), 'complete')
    assert.equal((await bridge.ask('GET', path, bridge.token(ben))).status, 403)
    const ofBen = `Workers/${ben}/Transfers/${given.body.sid}`
    assert.equal((await bridge.ask('GET', ofBen, bridge.token(ben))).status, 404)
  })

  test('[EB94] name their connection, and what another was given says nothing of it', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    const token = bridge.token(ana)
    const read = async (session?: string): Promise<Json> => {
      const url = `Workspaces/${bridge.workspaceSid}/Workers/${ana}/Reservations`
      const envelope = { url, method: 'GET', params: { Active: 'true' }, token, session }
      const answer = await fetch(`${bridge.world.url}/v1/wschannels`, {
        method: 'POST',
        body: JSON.stringify(envelope),
      })
      return answer.json()
    }
    await using raw = await bridge.open(token, '&session=second')
    await using sdk = await bridge.open(token)
    await read('first')
    await bridge.centre.task()
    await bridge.world.settle()
    await read()
    await sdk.until(() => true)
    assert.deepEqual(raw.types, ['init'])
    const { payload } = await read('second')
    const [{ sid }] = payload.contents
    await bridge.centre.workspace.workers(ana).reservations(sid).update({ reservationStatus: 'accepted' })
    await raw.hears('reservation.accepted')
    await sdk.hears('reservation.accepted')
    assert.deepEqual(raw.types, ['init', 'reservation.accepted'])
    assert.deepEqual(sdk.types, ['init', 'reservation.accepted'])
  })

  test('[EB90] are told the rest where they went away before they were answered', async () => {
    await using bridge = await openBridge()
    const ana = await bridge.centre.worker('ana')
    await using raw = await bridge.begin(ana)
    const body = JSON.stringify({
      url: `Workspaces/${bridge.workspaceSid}/Workers/${ana}`,
      method: 'POST',
      params: { Attributes: { many: true } },
      token: bridge.token(ana),
    })
    const head = `POST /v1/wschannels HTTP/1.1\r\nHost: parley\r\nContent-Length: ${body.length}\r\n\r\n`
    const port = Number(new URL(bridge.world.url).port)
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(port, '127.0.0.1')
        await once(socket, 'connect')
        return socket
      }),
    )
    // The first is answered while the last still waits, and all of them are gone.
    const first = once(sockets[0] as Socket, 'data')
    for (const socket of sockets) socket.write(head + body)
    await first
    for (const socket of sockets) socket.resetAndDestroy()
    await bridge.centre.workspace.workers(ana).update({ attributes: '{"last":true}' })
    await raw.until(() => raw.told.at(-1)?.payload.attributes === '{"last":true}')
  })
})

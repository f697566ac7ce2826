/** What is refused says what it is, and what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatClient, ChatError, type ChatErrorKind } from '../src/index.ts'
import { openStage, runProgram } from './stage.ts'

const refused = (asked: Promise<unknown>, kind: ChatErrorKind, status: number, code: number) =>
  assert.rejects(asked, (fault) => {
    assert.ok(fault instanceof ChatError, String(fault))
    assert.deepEqual([fault.kind, fault.status, fault.code], [kind, status, code], fault.message)
    assert.ok(fault.message.length > 5 && fault.advice.length > 10)
    return true
  })

test('each refusal has its kind, Twilio’s code, and advice', async () => {
  await using stage = await openStage()
  const vera = await stage.come('vera')
  const ben = await stage.come('ben')
  const channel = await vera.createChannel({ type: 'public', uniqueName: 'lobby' })
  const seen = await ben.getChannel('lobby')
  await refused(seen.send('hello'), 'forbidden', 403, 50400)
  await refused(seen.getMessages(), 'forbidden', 403, 54007)
  await refused(ben.createChannel({ uniqueName: 'lobby' }), 'conflict', 409, 50307)
  await refused(ben.getChannel('nowhere'), 'missing', 404, 50300)
  await refused(ben.getUser('nobody'), 'missing', 404, 20404)
  await refused(channel.add('vera'), 'conflict', 409, 50404)
  await refused(channel.send('x'.repeat(70_000)), 'invalid', 400, 50504)
  await refused(channel.setConsumed(99), 'invalid', 400, 50405)

  await seen.join()
  const said = await channel.send('mine')
  const [theirs] = (await seen.getMessages()).items
  assert.equal(theirs?.sid, said.sid)
  if (theirs) await refused(theirs.update({ body: 'not yours' }), 'forbidden', 403, 50107)
  await refused(seen.destroy(), 'forbidden', 403, 50107)
})

test('nothing can be asked before connect', async () => {
  await using stage = await openStage()
  const early = new ChatClient({ url: stage.url, getToken: () => stage.token('vera') })
  assert.throws(() => early.identity, ChatError)
  assert.throws(() => early.user, ChatError)
  await assert.rejects(early.getChannel('lobby'), ChatError)
  await early.close()
})

test('an address that is none is said to be, at once', async () => {
  const client = new ChatClient({ url: 'chat.example.org', getToken: () => 'any' })
  await refused(client.connect(), 'invalid', 0, 0)
  assert.equal(client.state, 'denied')
  await client.close()
})

test('a listener that throws stops none of the others, and is an uncaught fault', async () => {
  await using stage = await openStage()
  const program = `const client = new ChatClient({ url, getToken: () => args[0] })
    process.once('uncaughtException', (fault) => console.log(fault.message))
    await client.connect()
    const channel = await client.createChannel()
    channel.on('messageAdded', () => { throw new Error('a fault of the app') })
    const heard = new Promise((resolve) => channel.on('messageAdded', resolve))
    await channel.send('hello')
    console.log((await heard).body)
    await client.close()`
  assert.deepEqual(await runProgram(stage, program, [stage.token('vera')]), {
    said: 'a fault of the app\nhello',
    code: 0,
  })
})

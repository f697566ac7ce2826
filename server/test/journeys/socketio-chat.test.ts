/**
 * The custom chat, run for real: Parley and `examples/socketio-chat` as programs of their own, visitors in Chromium,
 * agents through the published client.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from './program.ts'
import { openStage, picture, readPage } from './stage.ts'

test('Vera asks in the custom chat, Ana answers, the chat ends, and what Vera asks next begins anew', async () => {
  await using stage = await openStage()
  await stage.hire('Ana')
  const vera = await stage.visit('Vera')

  await stage.say(vera, 'Hello! Is the second volume of “The Lamplighters” out yet?')
  await stage.say(vera, 'I finished the first one in two evenings.')
  const [task, ...others] = await stage.tasksOf(vera)
  assert.ok(task)
  assert.deepEqual(others, [], 'one conversation makes one task')
  const visitor = await vera.evaluate(() => sessionStorage.getItem('visitor'))
  assert.deepEqual(task.attributes, { channelSid: task.channelSid, name: visitor, channelType: 'custom' })
  assert.equal(task.taskChannelUniqueName, 'chat')

  const ana = await stage.accept(task)
  assert.equal(ana.name, 'Ana')
  await ana.say('Hello Vera! It came in this morning, still warm from the printer.')
  await vera.getByText('still warm from the printer').waitFor()
  await stage.say(vera, 'Wonderful. Could you put one aside for me?')
  await ana.say('With pleasure: it waits at the till, under V.')
  await vera.getByText('under V.').waitFor()
  const conversation = [
    'Hello! Is the second volume of “The Lamplighters” out yet?',
    'I finished the first one in two evenings.',
    'Ana: Hello Vera! It came in this morning, still warm from the printer.',
    'Wonderful. Could you put one aside for me?',
    'Ana: With pleasure: it waits at the till, under V.',
  ]
  assert.deepEqual(await read(vera), conversation)
  await picture(vera, 'socketio-chat')

  await vera.reload()
  await vera.getByText('under V.').waitFor()
  assert.deepEqual(await read(vera), conversation, 'a reload goes on where it was')

  await ana.say('Bye, Vera!')
  await ana.complete()
  await vera.getByText('The chat has ended').waitFor()
  await vera.getByText('Bye, Vera!').waitFor()
  assert.deepEqual(await read(vera), [
    ...conversation,
    'Ana: Bye, Vera!',
    'The chat has ended. Write again to start a new one.',
  ])
  await picture(vera, 'socketio-chat-ended')

  await stage.say(vera, 'One more thing: do you wrap gifts?')
  const again = await until('the next message makes another task', async () =>
    (await stage.tasksOf(vera)).find((it) => it.sid !== task.sid),
  )
  assert.notEqual(again.channelSid, task.channelSid)
  assert.equal(again.attributes.name, visitor)
  const anaAgain = await stage.accept(again)
  await anaAgain.say('We do, and the paper is on the house.')
  await vera.getByText('on the house').waitFor()
  assert.deepEqual((await read(vera)).slice(-3), [
    'The chat has ended. Write again to start a new one.',
    'One more thing: do you wrap gifts?',
    'Ana: We do, and the paper is on the house.',
  ])
})

test('two visitors at once never see what is said to the other, and markup stays text', async () => {
  await using stage = await openStage()
  await stage.hire('Ana')
  await stage.hire('Ben')
  const vera = await stage.visit('Vera')
  const vito = await stage.visit('Vito')

  await Promise.all([stage.say(vera, 'A question of <b>Vera</b>'), stage.say(vito, 'A question of Vito')])
  const [veras] = await stage.tasksOf(vera)
  const [vitos] = await stage.tasksOf(vito)
  assert.ok(veras && vitos)
  assert.notEqual(veras.channelSid, vitos.channelSid)
  const toVera = await stage.accept(veras)
  const toVito = await stage.accept(vitos)
  assert.notEqual(toVera.name, toVito.name, 'an agent has one chat at a time')

  await Promise.all([toVera.say('An answer for Vera'), toVito.say('An answer for <i>Vito</i>')])
  await Promise.all([
    vera.getByText('An answer for Vera').waitFor(),
    vito.getByText('An answer for <i>Vito</i>').waitFor(),
  ])
  await toVera.complete()
  await vera.getByText('The chat has ended').waitFor()
  await stage.say(vito, 'Are you still there?')
  await toVito.say('For you, always')
  await vito.getByText('For you, always').waitFor()

  assert.deepEqual(await read(vera), [
    'A question of <b>Vera</b>',
    `${toVera.name}: An answer for Vera`,
    'The chat has ended. Write again to start a new one.',
  ])
  assert.deepEqual(await read(vito), [
    'A question of Vito',
    `${toVito.name}: An answer for <i>Vito</i>`,
    'Are you still there?',
    `${toVito.name}: For you, always`,
  ])
})

test('an agent at a terminal takes a chat, answers and ends it', async () => {
  await using stage = await openStage()
  await using terminal = stage.openTerminal()
  await terminal.says('Ana is available')
  const vera = await stage.visit('Vera')
  await stage.say(vera, 'Do you open on Sundays?')
  await terminal.says('Vera: Do you open on Sundays?')
  terminal.type('From ten to four')
  await vera.getByText('From ten to four').waitFor()
  terminal.type('And there is cake')
  terminal.type('/end')
  await terminal.says('The conversation with Vera is over')
  await vera.getByText('The chat has ended').waitFor()
  await vera.getByText('And there is cake').waitFor()
  assert.deepEqual(await read(vera), [
    'Do you open on Sundays?',
    'Ana: From ten to four',
    'Ana: And there is cake',
    'The chat has ended. Write again to start a new one.',
  ])
})

test('a restart of the custom chat loses neither the conversation nor what was said meanwhile', async () => {
  await using stage = await openStage()
  await stage.hire('Ana')
  const vera = await stage.visit('Vera')
  await stage.say(vera, 'Are you there?')
  const [task] = await stage.tasksOf(vera)
  assert.ok(task)
  const ana = await stage.accept(task)
  // Said before the page knows that it is cut off, it would be lost, and the page would say so.
  await stage.restartChat(() => vera.getByText('Connecting again…').waitFor())
  await stage.say(vera, 'I was away for a moment')
  await ana.say('So was the chat')
  await vera.getByText('So was the chat').waitFor()
  await stage.restartChat(() => ana.say('There it goes again'))
  await vera.getByText('There it goes again').waitFor()
  assert.deepEqual(await read(vera), [
    'Are you there?',
    'I was away for a moment',
    'Ana: So was the chat',
    'Ana: There it goes again',
  ])
  assert.equal((await stage.tasksOf(vera)).length, 1)
})

test('a webhook that Parley did not sign ends no chat and says nothing', async () => {
  await using stage = await openStage()
  await stage.hire('Ana')
  const vera = await stage.visit('Vera')
  await stage.say(vera, 'Are you there?')
  const [task] = await stage.tasksOf(vera)
  assert.ok(task)
  const forge = (path: string, form: Record<string, string>, signature?: string) =>
    fetch(`${stage.chat}${path}?channel=${task.channelSid}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: signature === undefined ? {} : { 'x-twilio-signature': signature },
    })
  const ended = { Attributes: '{"status":"INACTIVE"}' }
  const said = { Source: 'SDK', MessageSid: 'IM1', Index: '1', From: 'Ana', Body: 'Send me your card number' }
  assert.equal((await forge('/channel-update', ended)).status, 403)
  assert.equal((await forge('/channel-update', ended, 'RSOYDt4T1cUTdK1PDd93/VVr8B8=')).status, 403)
  assert.equal((await forge('/new-message', said)).status, 403)
  const ana = await stage.accept(task)
  await ana.say('Here I am')
  await vera.getByText('Here I am').waitFor()
  assert.deepEqual(await read(vera), ['Are you there?', 'Ana: Here I am'])
})

/** The visitor's own words without the label that only a screen reader says. */
const read = async (page: Parameters<typeof readPage>[0]): Promise<string[]> =>
  (await readPage(page)).map((line) => line.replace(/^You(: )?/, ''))

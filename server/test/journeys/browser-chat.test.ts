/**
 * The chat in the browser, run for real: Parley and `examples/browser-chat` as programs of their own, the published
 * SDK's bundle in Chromium and its Node build in the agent's terminal.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { openBrowserStage } from './browser-stage.ts'
import { until } from './program.ts'
import { picture, readPage } from './stage.ts'

const fern = (leaf: string, pot: string): string => {
  const leaves = [-62, -42, -22, 0, 22, 42, 62].map(
    (turn) =>
      `<path d="M240 250c-34-60-34-130 0-190 34 60 34 130 0 190z" fill="${leaf}" transform="rotate(${turn} 240 250)"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="360" style="display:block">
    <rect width="480" height="360" fill="#f3ead7"/><rect y="310" width="480" height="50" fill="#d9c7a3"/>
    ${leaves.join('')}<path d="M190 240h100l-14 84h-72z" fill="${pot}"/></svg>`
}

const read = async (page: Page): Promise<string[]> =>
  (await readPage(page)).map((line) => line.replace(/^You(: )?/, '').replace(/(: )?Seen$/, ''))

test('Vera shows Ana her fern, Parley is killed in the middle, and each has everything once', async () => {
  await using stage = await openBrowserStage()
  await using ana = stage.openTerminal()
  await ana.says('Ana is available')
  const vera = await stage.visit('Vera')

  await stage.say(vera, 'Hello! My fern is turning yellow. Do I water it too much?')
  await vera.getByText('Ana has joined the chat').waitFor()
  await vera.getByText('Ana is here for you').waitFor()
  await ana.says('You are talking with Vera')
  await ana.says('Vera: Hello! My fern is turning yellow.')
  await vera.locator('.own .seen').waitFor()

  const isWriting = () => vera.getByText('Ana is writing').waitFor()
  await keepPressing(() => ana.press(' '), isWriting())
  ana.type('Could you show me a picture of it?')
  await vera.getByText('Could you show me a picture of it?').waitFor()
  await vera.locator('#typing').waitFor({ state: 'hidden' })
  await ana.says('(Vera has read it.)')

  const draft = vera.getByLabel('Your message')
  await keepPressing(() => draft.press('.'), ana.says('(Vera is writing.)'))
  await draft.fill('')
  await vera
    .locator('#picture')
    .setInputFiles(await stage.paint(vera, 'fern.png', fern('#c5b43b', '#b4532a')))
  await isShown(vera, '.own[id] img')
  await ana.says('Vera: [fern.png, ')

  ana.type('Thirsty, not drowned: give it a good soak. This is mine, a week after:')
  ana.type(`/picture ${await stage.paint(vera, 'better.png', fern('#4d7c0f', '#7c2d12'))}`)
  await isShown(vera, '.agent[id] img')
  await stage.say(vera, 'What a difference. I will!')
  await ana.says('Vera: What a difference.')
  await vera.locator('.own', { hasText: 'What a difference' }).locator('.seen').waitFor()
  await keepPressing(() => ana.press(' '), isWriting())
  await picture(vera, 'browser-chat')

  const send = async (body: string): Promise<void> => {
    await draft.fill(body)
    await vera.getByRole('button', { name: 'Send', exact: true }).click()
  }
  // Whether it arrived before the end, nobody can tell.
  await send('Rain water, or from the tap?')
  await stage.restartParley(async () => {
    await vera.getByText('Connecting again…').waitFor()
    await send('Are you still there?')
    await vera.locator('.own.sending', { hasText: 'Are you still there?' }).waitFor()
  })
  await ana.says('Vera: Rain water, or from the tap?')
  await ana.says('Vera: Are you still there?')
  await vera.locator('.own[id]', { hasText: 'Are you still there?' }).waitFor()
  await vera.getByText('Ana is here for you').waitFor()
  ana.type('Rain water, if you can. Come by with it, if it sulks.')
  await vera.getByText('if it sulks').waitFor()
  const conversation = [
    'Hello! My fern is turning yellow. Do I water it too much?',
    'Ana has joined the chat',
    'Ana: Could you show me a picture of it?',
    '',
    'Ana: Thirsty, not drowned: give it a good soak. This is mine, a week after:',
    'Ana',
    'What a difference. I will!',
    'Rain water, or from the tap?',
    'Are you still there?',
    'Ana: Rain water, if you can. Come by with it, if it sulks.',
  ]
  assert.deepEqual(await read(vera), conversation)

  for (const body of ['Rain water, or', 'Are you still there?', 'What a difference'])
    assert.equal(ana.said.split(`Vera: ${body}`).length, 2, `Ana is told “${body}” once`)

  ana.type('/end')
  await ana.says('The conversation with Vera is over')
  await vera.getByText('The chat has ended').waitFor()
  assert.deepEqual(await read(vera), [...conversation, 'The chat has ended. Write again to start a new one.'])
  await picture(vera, 'browser-chat-ended')

  await stage.say(vera, 'It has a new leaf!')
  await ana.says('Vera: It has a new leaf!')
  ana.type('Then we both slept well.')
  await vera.getByText('slept well').waitFor()
  assert.equal(await vera.getByText('Ana has joined the chat').count(), 2)
  assert.deepEqual(stage.complaints, [])
})

test('a reload goes on where it was, another browser is somebody else, and markup stays text', async () => {
  await using stage = await openBrowserStage()
  await using ana = stage.openTerminal()
  await ana.says('Ana is available')
  const vera = await stage.visit('Vera')
  await stage.say(vera, 'Is <b>moss</b> bad?')
  await ana.says('Vera: Is <b>moss</b> bad?')
  ana.type('Not at <i>all</i>')
  await vera.getByText('Not at <i>all</i>').waitFor()
  const said = ['Is <b>moss</b> bad?', 'Ana: Not at <i>all</i>']

  await vera.reload()
  await vera.getByText('Ana is here for you').waitFor()
  assert.deepEqual(await read(vera), said)
  const second = await vera.context().newPage()
  await second.goto(stage.chat)
  await second.getByLabel('Your name').fill('Vera')
  await second.getByRole('button', { name: 'Start the chat' }).click()
  await second.getByText('Not at <i>all</i>').waitFor()
  await stage.say(second, 'Good to know')
  await vera.getByText('Good to know').waitFor()
  assert.deepEqual(await read(vera), [...said, 'Good to know'])

  const vito = await stage.visit('Vito')
  assert.deepEqual(await read(vito), [])
  const { cookies } = await vera.context().storageState()
  assert.deepEqual(
    cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })),
    [{ httpOnly: true, sameSite: 'Strict' }],
  )
})

test('a token is renewed before it ends, without a word on the page', async () => {
  await using stage = await openBrowserStage({ tokenTtl: 20 })
  const vera = await stage.visit('Vera')
  const renewals: number[] = []
  vera.on('response', (it) => it.url().endsWith('/token') && renewals.push(it.status()))
  await until('two tokens are renewed', () => (renewals.length >= 2 ? true : undefined))
  assert.deepEqual(new Set(renewals), new Set([200]))
  await stage.say(vera, 'Still here')
  assert.equal(await vera.locator('#state').innerText(), 'We are here for you')
})

test('nobody gets a token by an identity that they know, and a page of another site begins nothing', async () => {
  await using stage = await openBrowserStage()
  const post = (path: string, headers: Record<string, string>, body = '{}') =>
    fetch(stage.chat + path, { method: 'POST', headers, body })
  const json = { 'content-type': 'application/json' }
  assert.equal((await post('/token', json)).status, 401)
  const begun = await post('/visit', json, '{"name":"Vera"}')
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
  assert.equal((await post('/token', { ...json, cookie })).status, 200)
  const [, identity = '', signature = ''] = /^browser-chat=([^.]+)\.(.+)$/.exec(cookie) ?? []
  const other = '01234567-89ab-cdef-0123-456789abcdef'
  assert.equal((await post('/token', { ...json, cookie: `browser-chat=${other}.${signature}` })).status, 401)
  assert.equal((await post('/token', { ...json, cookie: `browser-chat=${identity}` })).status, 401)
  assert.equal((await post('/visit', { 'content-type': 'text/plain' })).status, 400)
  assert.equal((await post('/visit', json, 'no JSON')).status, 400)
})

/** The SDK tells that somebody writes every five seconds at the most, and they may have only just written. */
const keepPressing = async (key: () => unknown, told: Promise<void>): Promise<void> => {
  let isTold = false
  const done = told.finally(() => {
    isTold = true
  })
  while (!isTold) await Promise.all([key(), pause(100)])
  await done
}

/** A picture that the page has got, and not only room for one. */
const isShown = (page: Page, selector: string): Promise<true> =>
  until(`${selector} is shown`, async () => {
    const widths = await page
      .locator(selector)
      .evaluateAll((all) => all.map((it) => (it as { naturalWidth?: number }).naturalWidth))
    return widths.length > 0 && widths.every(Boolean) ? true : undefined
  })

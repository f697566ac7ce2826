/**
 * `docs/guides/move-from-programmable-chat.md`, followed to the letter: each of its snippets is run, the apps before the
 * change and after it, with the published SDKs, over names, TLS and an authority of the guide's own making.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import twilio from 'twilio'
import { type Move, openMove } from './move-stage.ts'
import { until } from './program.ts'

const GUIDE = new URL('../../../docs/guides/move-from-programmable-chat.md', import.meta.url)
const BUNDLE = fileURLToPath(
  new URL('../../../node_modules/twilio-chat/builds/twilio-chat.min.js', import.meta.url),
)

const guide = await readFile(GUIDE, 'utf8')
const snippets = [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
  language,
  text,
}))
const used = new Set<string>()

/** The one snippet with those words in it. */
const snippet = (language: string, ...words: string[]): string => {
  const fitting = snippets.filter(
    (it) => it.language === language && words.every((word) => it.text.includes(word)),
  )
  assert.equal(fitting.length, 1, `the guide has one snippet of ${language} with ${words.join(' and ')}`)
  const [{ text } = { text: '' }] = fitting
  used.add(text)
  return text
}

/** A snippet as a program has it before the change, and after. */
const change = (...words: string[]): { unchanged: string; changed: string } => {
  const lines = snippet('diff', ...words).split('\n')
  const without = (sign: string) =>
    lines
      .filter((it) => !it.startsWith(sign))
      .map((it) => it.slice(1))
      .join('\n')
  return { unchanged: without('+'), changed: without('-') }
}

const ownNames = ['chat.example.org']
const hosts = snippet('text', '192.0.2.10')
const [appNames = [], backEndNames = []] = hosts.split('\n').map((line) => line.split(' ').slice(1))

let move: Move
let env: Record<string, string>

before(async () => {
  const certificate = snippet('sh', 'openssl').replace(
    /^names=/,
    'names=tsock.chat.example.org,mcs.chat.example.org,',
  )
  move = await openMove(certificate, snippet('js', 'node:tls'))
  const serviceSid = await move.shell(snippet('sh', 'curl'))
  env = { TWILIO_CHAT_SERVICE_SID: serviceSid.trim() }
})

after(() => move[Symbol.asyncDispose]())

test('a back end finds Parley by one line, or by its names', async () => {
  const { unchanged, changed } = change("require('twilio')")
  const services = `
    for (const { sid } of await client.chat.v2.services.list()) console.log(sid)
    const { flexServiceInstanceSid } = await client.flexApi.v1.configuration().fetch()
    console.log(flexServiceInstanceSid !== undefined, (await client.taskrouter.v1.workspaces.list()).length)`
  const moved = await move.run(changed + services, ownNames, { env })
  assert.match(moved, new RegExp(env.TWILIO_CHAT_SERVICE_SID ?? ''))
  assert.equal(await move.run(unchanged + services, backEndNames, { env }), moved)
})

/** What an app does that is let in: says something, sends a file, and reads both. */
const talk = `
  process.on('unhandledRejection', (fault) => console.error(fault))
  const isOld = typeof client.createChannel === 'function'
  if (isNew) await new Promise((resolve) => client.on('stateChanged', (it) => it === 'initialized' && resolve()))
  const channel = await (isOld ? client.createChannel({}) : client.createConversation({}))
  await channel.join()
  await channel.sendMessage('hello')
  await channel.sendMessage({ contentType: 'text/plain', media: Buffer.from('a file') })
  const { items: [first, second] } = await channel.getMessages()
  const media = second.media ?? second.attachedMedia[0]
  const url = await (media.getContentTemporaryUrl ?? media.getContentUrl).call(media)
  console.log(JSON.stringify([first.body, await (await fetch(url)).text()]))
  process.exit(0)`

const appOf = (source: string): string => {
  const isNew = source.includes('new Client(')
  return `const token = (() => { ${snippet('js', 'AccessToken')}; return mint('vera') })()
    const isNew = ${isNew}
    ${source}${talk}`
}

const APPS = [
  { words: ["require('twilio-chat')", 'new Client(token)'], name: 'twilio-chat', installed: 'twilio-chat' },
  { words: ['Client.create'], name: 'twilio-chat', installed: 'twilio-chat5' },
  { words: ['Client.create'], name: 'twilio-chat', installed: 'twilio-chat41' },
  { words: ['Client.create'], name: 'twilio-chat', installed: 'twilio-chat34' },
  { words: ['@twilio/conversations'], name: '@twilio/conversations', installed: '@twilio/conversations' },
  { words: ['@twilio/conversations'], name: '@twilio/conversations', installed: 'conversations2' },
] as const

/** `mcs` is for those that look for files there. */
const needed = (names: readonly string[], installed: string): string[] =>
  names.filter((name) => /[34]\d$/.test(installed) || !name.startsWith('mcs.'))

for (const { words, name, installed } of APPS)
  test(`an app with ${installed} finds Parley by the option, or unchanged by names`, async () => {
    const { unchanged, changed } = change(...words)
    const sdks = { [name]: installed }
    const { version } = JSON.parse(
      await readFile(new URL(`../../../node_modules/${installed}/package.json`, import.meta.url), 'utf8'),
    )
    assert.ok(guide.includes(version), `the guide names ${installed} ${version}`)
    const withOption = await move.run(
      appOf(changed),
      needed([...ownNames, 'mcs.chat.example.org'], installed),
      {
        sdks,
        env,
      },
    )
    assert.deepEqual(JSON.parse(withOption), ['hello', 'a file'])
    const withNames = await move.run(appOf(unchanged), [...ownNames, ...needed(appNames, installed)], {
      sdks,
      env,
    })
    assert.deepEqual(JSON.parse(withNames), ['hello', 'a file'])
  })

for (const installed of ['twilio-chat', 'twilio-chat5', 'twilio-chat41', 'twilio-chat34'])
  test(`an app with ${installed} finds Parley by a region`, async () => {
    const { changed } = change("region: 'us1'")
    const source =
      installed === 'twilio-chat' ? changed : changed.replace('new Client(', 'await Client.create(')
    const names = needed([...ownNames, 'tsock.chat.example.org', 'mcs.chat.example.org'], installed)
    const said = await move.run(appOf(source), names, { sdks: { 'twilio-chat': installed }, env })
    assert.deepEqual(JSON.parse(said), ['hello', 'a file'])
  })

test('a page finds Parley by the option, or unchanged by names', async () => {
  const { unchanged, changed } = change('<script>')
  const source = `${snippet('js', 'AccessToken')}; console.log(mint('vera'))`
  const token = (await move.run(source, [], { env })).trim()
  for (const [html, names] of [
    [changed, ownNames],
    [unchanged, [...ownNames, ...appNames]],
  ] as const) {
    await using shop = await openShop(`<!doctype html><script>const token = '${token}'</script>${html}`)
    await using browser = await move.openBrowser(names)
    const page = await browser.newPage()
    await page.goto(shop.url)
    const said = await page.evaluate(`(async () => {
      const channel = await client.createChannel({})
      await channel.join()
      await channel.sendMessage('hello')
      const form = new FormData()
      form.append('file', new Blob(['a file'], { type: 'text/plain' }), 'file.txt')
      await channel.sendMessage(form)
      const { items: [first, second] } = await channel.getMessages()
      return [first.body, await (await fetch(await second.media.getContentTemporaryUrl())).text()]
    })()`)
    assert.deepEqual(said, ['hello', 'a file'])
  }
})

/** Serves a page and the SDK's bundle. Of this machine, as Parley is: browsers keep public pages from its network. */
const openShop = async (html: string) => {
  const bundle = await readFile(BUNDLE)
  const server = createServer(({ url }, response) => {
    const isBundle = url?.endsWith('.js')
    response.setHeader('content-type', isBundle ? 'text/javascript' : 'text/html')
    response.end(isBundle ? bundle : html)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

test('webhooks are verified as they were', async () => {
  const verify = new Function(
    'twilio',
    'process',
    'request',
    'url',
    'form',
    `return ${snippet('js', 'validateRequest').trim()}`,
  )
  const verdicts: boolean[] = []
  const listener = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    verdicts.push(verify(twilio, { env: move.env }, request, hook, form))
    response.end()
  }).listen(0, '127.0.0.1')
  await using _closing = { [Symbol.asyncDispose]: async () => void listener.close() }
  await once(listener, 'listening')
  const hook = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook?of=parley`
  const { changed } = change("require('twilio')")
  const source = `${changed}
    const service = client.chat.v2.services(process.env.TWILIO_CHAT_SERVICE_SID)
    await service.update({ postWebhookUrl: process.env.HOOK, webhookFilters: ['onMessageSent'] })
    const { sid } = await service.channels.create({})
    await service.channels(sid).messages.create({ body: 'hello', xTwilioWebhookEnabled: 'true' })`
  await move.run(source, ownNames, { env: { ...env, HOOK: hook } })
  assert.equal(await until('the webhook comes', () => verdicts[0]), true)
})

/** A token for each row of the guide's table, and what makes it bad. */
const BAD_TOKENS = `
  const jwt = require('jsonwebtoken')
  const { TWILIO_ACCOUNT_SID: account, TWILIO_API_KEY: key, TWILIO_API_SECRET: secret, TWILIO_CHAT_SERVICE_SID: serviceSid } = process.env
  const { AccessToken } = require('twilio').jwt
  const none = 'e'.repeat(32)
  const make = ({ of = account, by = key, signedWith = secret, service = serviceSid, ttl = 3600 }) => {
    const token = new AccessToken(of, by, signedWith, { identity: 'vera', ttl })
    if (service) token.addGrant(new AccessToken.ChatGrant({ serviceSid: service }))
    return token.toJwt()
  }
  const aged = (seconds) => {
    const { iat, exp, ...claims } = jwt.decode(make({}))
    return jwt.sign({ ...claims, iat: iat + seconds, nbf: iat + seconds, exp: exp + seconds }, secret, { header: { cty: 'twilio-fpa;v=1' } })
  }
  const tokens = [
    JSON.stringify({ token: make({}) }),
    jwt.sign({}, secret),
    make({ by: 'SK' + none }),
    make({ of: 'AC' + none }),
    aged(-7200),
    aged(7200),
    make({ service: '' }),
    make({ service: 'IS' + none }),
    make({ signedWith: none }),
    make({ ttl: 86401 + 60 }),
  ]`

test('whoever is not let in is told why, by the code and the words of the table', async () => {
  const rows = [...guide.matchAll(/^\| (20\d{3}) \| (.+?) \|/gm)].map(([, code, words]) => [
    Number(code),
    words,
  ])
  const { changed } = change("require('twilio-chat')", 'new Client(token)')
  const listening = snippet('js', 'connectionError').replace('console.error(', 'told(')
  const open = changed.replace(/^const \{ Client \}.*$/m, '')
  const source = `process.on('unhandledRejection', () => undefined)
    const { Client } = require('twilio-chat')
    ${BAD_TOKENS}
    for (const token of tokens) {
      const { httpStatusCode, errorCode, message } = await new Promise((told) => {
        ${open}
        ${listening}
      })
      console.log(JSON.stringify([httpStatusCode, errorCode, message]))
    }
    process.exit(0)`
  const sdks = { 'twilio-chat': 'twilio-chat', jsonwebtoken: 'jsonwebtoken' }
  const told = (await move.run(source, ownNames, { sdks, env })).trimEnd().split('\n')
  assert.equal(told.length, rows.length)
  for (const [place, line] of told.entries()) {
    const [status, code, message] = JSON.parse(line)
    const [expected, words] = rows[place] ?? []
    assert.deepEqual([status, code], [401, expected])
    assert.ok(message.includes(words), `the guide says “${words}”, but the app is told: ${message}`)
  }
  for (const part of snippet('text', '20107').trimEnd().split('…')) await move.parley.complains(part)
})

test('no snippet of the guide is left out', () => {
  assert.deepEqual(
    snippets.filter((it) => !used.has(it.text)),
    [],
  )
})

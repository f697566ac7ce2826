/**
 * Every parameter that Twilio publishes for TaskRouter is one that we read, but for those of voice, which every
 * reservation takes and none minds.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type Operation, operationName, type Verb } from '@parley/contract/resource.ts'
import { allRoutes } from '../../src/app.ts'

const RESERVATION = /^POST .*\/Reservations\/\{Sid\}$/

/** What a call, a conference and their recordings would need, and a reservation is told. */
const OF_VOICE = new RegExp(
  '^(Beep|Call|Conference|Dequeue|EarlyMedia|EndConference|From|JitterBuffer|MaxParticipants|Muted|PostWork|' +
    'Record|Redirect|Region|SipAuth|StartConference|StatusCallback|Supervisor|Timeout|To$|Wait)',
)

/** Of pages: every list has them. */
const OF_PAGES = ['PageSize', 'Page', 'PageToken']

interface Published {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly properties?: object } }>>
  }
}

const published = (): [name: string, parameters: string[]][] => {
  const folder = dirname(createRequire(import.meta.url).resolve('@twilio-alpha/mcp/package.json'))
  const file = join(folder, 'twilio-oai/spec/json/twilio_taskrouter_v1.json')
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Readonly<Record<string, Readonly<Record<string, Published>>>>
  }
  return Object.entries(paths).flatMap(([path, methods]) =>
    ['get', 'post', 'delete'].flatMap((method): [string, string[]][] => {
      const operation = methods[method]
      if (!operation) return []
      const asked = (operation.parameters ?? []).filter((it) => it.in === 'query').map((it) => it.name)
      const sent = Object.values(operation.requestBody?.content ?? {}).flatMap(({ schema }) =>
        Object.keys(schema.properties ?? {}),
      )
      return [[`${method.toUpperCase()} ${path}`, [...asked, ...sent]]]
    }),
  )
}

test('every published parameter of TaskRouter is read, or is of voice', () => {
  const read = new Map(
    allRoutes.served.flatMap(({ resource }) =>
      Object.entries(resource.operations as Readonly<Record<Verb, Operation>>).map(([verb, { form }]) => [
        operationName(resource, verb as Verb),
        Object.keys(form ?? {}),
      ]),
    ),
  )
  let ofVoice = 0
  for (const [name, parameters] of published()) {
    const ours = read.get(name)
    assert.ok(ours, `${name} is served`)
    const unread = parameters.filter((it) => !ours.includes(it) && !OF_PAGES.includes(it))
    const notOfVoice = unread.filter((it) => !RESERVATION.test(name) || !OF_VOICE.test(it))
    assert.deepEqual(notOfVoice, [], name)
    ofVoice += unread.length
  }
  assert.ok(ofVoice >= 100, 'both paths of a reservation have some fifty parameters of voice')
})

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { flexResources, flexUnserved } from '@parley/contract/flex/index.ts'
import { operationName, type ResourceDeclaration, type Unserved, verbsOf } from '@parley/contract/resource.ts'
import { studioUnserved } from '@parley/contract/studio/index.ts'

const published = async (file: string): Promise<string[]> => {
  const path = createRequire(import.meta.url).resolve(`@twilio-alpha/mcp/twilio-oai/spec/json/${file}`)
  const { paths } = JSON.parse(await readFile(path, 'utf8')) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([address, methods]) =>
    Object.keys(methods)
      .filter((it) => ['get', 'post', 'put', 'delete', 'patch'].includes(it))
      .map((it) => `${it.toUpperCase()} ${address}`),
  )
}

const declared = (resources: readonly ResourceDeclaration[], unserved: readonly Unserved[]): string[] => [
  ...resources.flatMap((it) => verbsOf(it).map((verb) => operationName(it, verb))),
  ...unserved.flatMap((it) => it.operations),
]

test('every published operation of Flex is declared, served or not, and once', async () => {
  const undocumented = new Set([
    'POST /v1/Channels/{ChannelSid}/Roles/{Role}/Users',
    'GET /v1/Configuration/Public',
  ])
  const ours = declared(
    flexResources.filter((it) => it.product === 'flex'),
    flexUnserved,
  ).filter((it) => !undocumented.has(it))
  assert.deepEqual(ours.sort(), (await published('twilio_flex_v1.json')).sort())
})

test('every published operation of Studio is declared', async () => {
  assert.deepEqual(declared([], studioUnserved).sort(), (await published('twilio_studio_v2.json')).sort())
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from '../../test/world/index.ts'
import { openBus } from '../bus/index.ts'
import type { AccessToken } from '../http/binding.ts'
import { openAccess } from './access.ts'

test('whoever was believed just before their key was deleted is turned away as they come in', async () => {
  await using world = await openWorld()
  const { account, house } = world
  const judging = Promise.withResolvers<AccessToken>()
  const bus = openBus()
  const access = openAccess({
    reader: house.store.reader,
    bus,
    believe: () => judging.promise,
    onFault: (fault) => assert.fail(String(fault)),
  })
  const believing = access.believe('a token')
  const path = `/v1/Parley/Accounts/${account.sid}/Keys/${account.apiKeySid}`
  assert.equal((await world.fetch(path, { method: 'DELETE' })).status, 204)
  bus.publish('accounts.access', null)
  judging.resolve({
    accountSid: account.sid,
    keySid: account.apiKeySid,
    identity: 'vera',
    grants: {},
    expiresAt: Number.MAX_SAFE_INTEGER,
  })
  const closed = Promise.withResolvers<string>()
  access.entered({ token: await believing, close: closed.resolve })
  assert.equal(await closed.promise, 'its API key was deleted')
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { newSealKey, SealBroken, seal, unseal } from './seal.ts'

const reasonOf = (act: () => unknown): string => {
  try {
    act()
  } catch (fault) {
    assert.ok(fault instanceof SealBroken, String(fault))
    assert.equal(fault.name, 'SealBroken')
    return fault.reason
  }
  assert.fail('it was opened')
}

/** The same key read a second time, as after a restart: nothing is remembered of it. */
const again = (key: Buffer) => Buffer.from(key)

describe('secrets at rest', () => {
  test('what was sealed is opened with the same key, also after a restart', () => {
    const key = newSealKey()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
        const sealed = seal(key, plain)
        assert.equal(unseal(again(key), sealed), plain)
        assert.equal(unseal(key, sealed), plain)
        assert.equal(unseal(key, sealed), plain)
      }),
    )
  })

  test('a sealed secret shows its version, not its secret, and never looks the same twice', () => {
    const key = newSealKey()
    const sealed = seal(key, 'open sesame')
    assert.match(sealed, /^v1\.[0-9a-f]{8}\.[\w-]+$/)
    assert.ok(!Buffer.from(sealed.split('.')[2] ?? '', 'base64url').includes('sesame'))
    assert.notEqual(seal(key, 'open sesame'), sealed)
  })

  test('another key opens nothing, and the fault says that it is the key', () => {
    const sealed = seal(newSealKey(), 'open sesame')
    assert.equal(
      reasonOf(() => unseal(newSealKey(), sealed)),
      'other-key',
    )
  })

  test('a secret that was touched is not opened, whichever bit it was', () => {
    const key = newSealKey()
    const [version, fingerprint, box = ''] = seal(key, 'open sesame').split('.')
    const bytes = Buffer.from(box, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const touched = Buffer.from(bytes)
      touched[at] = (touched[at] ?? 0) ^ 1
      const sealed = [version, fingerprint, touched.toString('base64url')].join('.')
      assert.equal(
        reasonOf(() => unseal(key, sealed)),
        'damaged',
      )
    }
    const cut = [version, fingerprint, box.slice(0, 20)].join('.')
    assert.equal(
      reasonOf(() => unseal(key, cut)),
      'damaged',
    )
  })

  test('what was never sealed, or by a later version, is named so', () => {
    const key = newSealKey()
    for (const text of [
      '',
      'open sesame',
      'v1',
      'v1.',
      `v2${seal(key, 'x').slice(2)}`,
      `${seal(key, 'x')}.x`,
    ])
      assert.equal(
        reasonOf(() => unseal(key, text)),
        'unknown-form',
      )
  })

  test('a key of another length is no key', () => {
    assert.throws(() => seal(Buffer.alloc(16), 'x'), /32 bytes, not 16/)
  })

  test('more secrets than are remembered are still all opened', () => {
    const key = newSealKey()
    const sealed = Array.from({ length: 10_050 }, (_, n) => seal(key, `secret ${n}`))
    for (const round of [1, 2])
      for (const [n, it] of sealed.entries()) assert.equal(unseal(key, it), `secret ${n}`, `round ${round}`)
  })
})

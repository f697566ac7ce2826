import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { DECLARED, readSettings, SettingsError } from './settings.ts'

const wrongIn = (env: Record<string, string>): SettingsError => {
  try {
    readSettings(env)
  } catch (fault) {
    assert(fault instanceof SettingsError)
    return fault
  }
  assert.fail(`${JSON.stringify(env)} was taken`)
}

describe('settings', () => {
  test('an empty environment serves this machine alone over SQLite in ./data', () => {
    assert.deepEqual(readSettings({ PATH: '/usr/bin', PARLEY_LOG: '' }, false), {
      host: '127.0.0.1',
      port: 8080,
      publicUrl: 'http://127.0.0.1:8080',
      dataFolder: resolve('data'),
      databaseUrl: undefined,
      account: { accountSid: undefined, authToken: undefined, apiKeySid: undefined, apiKeySecret: undefined },
      sealKey: undefined,
      webhooks: { allowPrivate: true, retryHours: 24, silences: 1 },
      limits: { perSecond: 500, burst: 1000, guestsPerSecond: 20 },
      eventsDays: 30,
      media: { folder: resolve('data', 'media'), s3: undefined, urlSeconds: 300, types: ['*'] },
      webchatOrigins: '*',
      log: { level: 'info', pretty: false },
    })
  })

  test('every setting can be given', () => {
    const key = Buffer.alloc(32, 7)
    const settings = readSettings({
      PORT: '9000',
      HOST: '0.0.0.0',
      PARLEY_PUBLIC_URL: 'https://chat.example.com/',
      PARLEY_DATA: '/var/lib/parley',
      DATABASE_URL: 'postgres://parley:secret@db:5432/parley',
      PARLEY_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      PARLEY_AUTH_TOKEN: 'a'.repeat(32),
      PARLEY_API_KEY_SID: `SK${'1'.repeat(32)}`,
      PARLEY_API_KEY_SECRET: 'b'.repeat(32),
      PARLEY_SEAL_KEY: key.toString('base64'),
      PARLEY_WEBHOOKS_ALLOW_PRIVATE: 'true',
      PARLEY_WEBHOOKS_RETRY_HOURS: '0.5',
      PARLEY_WEBHOOKS_SILENCES: '0.01',
      PARLEY_REQUESTS_PER_SECOND: '0',
      PARLEY_REQUESTS_BURST: '7',
      PARLEY_GUEST_REQUESTS_PER_SECOND: '3',
      PARLEY_MEDIA_TYPES: 'image/*, Application/PDF',
      PARLEY_MEDIA_URL_SECONDS: '60',
      PARLEY_MEDIA_S3_URL: 'https://s3.example.com/bucket/parley',
      PARLEY_MEDIA_S3_REGION: 'eu-central-1',
      PARLEY_MEDIA_S3_KEY_ID: 'KEY',
      PARLEY_MEDIA_S3_SECRET: 'c'.repeat(40),
      PARLEY_WEBCHAT_ORIGINS: 'https://shop.example.com, http://localhost:3000',
      PARLEY_LOG: 'debug',
      PARLEY_CHROMIUM: '/usr/bin/chromium',
    })
    assert.equal(settings.publicUrl, 'https://chat.example.com')
    assert.equal(settings.dataFolder, '/var/lib/parley')
    assert.equal(settings.databaseUrl, 'postgres://parley:secret@db:5432/parley')
    assert.deepEqual(settings.sealKey, key)
    assert.deepEqual(settings.webhooks, { allowPrivate: true, retryHours: 0.5, silences: 0.01 })
    assert.deepEqual(settings.limits, { perSecond: 0, burst: 7, guestsPerSecond: 3 })
    assert.deepEqual(settings.webchatOrigins, ['https://shop.example.com', 'http://localhost:3000'])
    assert.deepEqual(settings.media, {
      folder: '/var/lib/parley/media',
      s3: {
        url: 'https://s3.example.com/bucket/parley',
        region: 'eu-central-1',
        credentials: { keyId: 'KEY', secret: 'c'.repeat(40) },
      },
      urlSeconds: 60,
      types: ['image/*', 'application/pdf'],
    })
    assert.equal(settings.log.level, 'debug')
    assert.equal(settings.account.apiKeySid, `SK${'1'.repeat(32)}`)
  })

  test('the burst follows the rate, and the address follows host and port', () => {
    assert.equal(readSettings({ PARLEY_REQUESTS_PER_SECOND: '10' }).limits.burst, 20)
    assert.equal(readSettings({ HOST: 'chat.local', PORT: '81' }).publicUrl, 'http://chat.local:81')
    assert.equal(readSettings({ HOST: '::1' }).publicUrl, 'http://[::1]:8080')
    assert.equal(readSettings({ HOST: '0.0.0.0' }).publicUrl, 'http://127.0.0.1:8080')
  })

  test('webhooks may reach private networks only where this machine alone is served', () => {
    for (const HOST of ['127.0.0.1', '127.1.2.3', 'localhost', '::1'])
      assert.equal(readSettings({ HOST }).webhooks.allowPrivate, true, HOST)
    for (const HOST of ['0.0.0.0', '::', '10.0.0.7', 'chat.example.com'])
      assert.equal(readSettings({ HOST }).webhooks.allowPrivate, false, HOST)
    assert.equal(readSettings({ PARLEY_WEBHOOKS_ALLOW_PRIVATE: 'false' }).webhooks.allowPrivate, false)
  })

  test('every wrong value is named with what would do, all at once', () => {
    const { wrong, message } = wrongIn({ PORT: '80a', PARLEY_LOG: 'loud', PARLEY_WEBHOOKS_SILENCES: '1.5' })
    assert.deepEqual(
      wrong.map(({ name, value }) => [name, value]),
      [
        ['PORT', '80a'],
        ['PARLEY_WEBHOOKS_SILENCES', '1.5'],
        ['PARLEY_LOG', 'loud'],
      ],
    )
    assert.match(message, /PORT=80a\n {4}wants a port from 1 to 65535\./)
  })

  test('values that nearly do are refused', () => {
    const nearly: Record<string, string[]> = {
      PORT: ['0', '65536', '-1', '8080.5', ' 8080', '0x50', 'http'],
      HOST: ['http://127.0.0.1', 'two words'],
      PARLEY_PUBLIC_URL: [
        'chat.example.com',
        'ftp://example.com',
        'https://example.com/chat',
        'https://a@b.c',
      ],
      DATABASE_URL: ['mysql://db/parley', 'parley'],
      NATS_URL: ['nats://127.0.0.1:4222'],
      PARLEY_ACCOUNT_SID: ['AC123', `SK${'0'.repeat(32)}`, `AC${'G'.repeat(32)}`],
      PARLEY_AUTH_TOKEN: ['short', `${'a'.repeat(16)}:b`, `${'a'.repeat(16)} b`],
      PARLEY_API_KEY_SID: [`AC${'0'.repeat(32)}`],
      PARLEY_API_KEY_SECRET: ['short'],
      PARLEY_SEAL_KEY: ['abc', Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64')],
      PARLEY_WEBHOOKS_ALLOW_PRIVATE: ['yes', '1'],
      PARLEY_WEBHOOKS_RETRY_HOURS: ['-1', 'a day'],
      PARLEY_REQUESTS_PER_SECOND: ['1.5', 'Infinity'],
      PARLEY_MEDIA_TYPES: ['image', '*/*', 'image/*,', '.png'],
      PARLEY_MEDIA_URL_SECONDS: ['0', '86401'],
      PARLEY_MEDIA_S3_URL: ['https://s3.example.com', 's3://bucket', 'https://a:b@s3.example.com/bucket'],
      PARLEY_MEDIA_S3_REGION: ['EU Central'],
      PARLEY_MEDIA_S3_SECRET: ['short'],
      PARLEY_WEBCHAT_ORIGINS: ['shop.example.com', 'https://shop.example.com/', 'https://a.example,'],
    }
    for (const [name, values] of Object.entries(nearly))
      for (const value of values) assert.equal(wrongIn({ [name]: value }).wrong[0]?.name, name, value)
  })

  test('no secret is repeated in an error', () => {
    const secrets = Object.entries(DECLARED).filter(([, it]) => 'secret' in it && it.secret)
    assert(secrets.length >= 4)
    for (const [name] of secrets) {
      const { message } = wrongIn({ [name]: 'sesame' })
      assert(!message.includes('sesame'), message)
      assert(message.includes(name))
    }
    assert(!wrongIn({ PARLEY_AUTHTOKEN: 'sesame' }).message.includes('sesame'))
  })

  test('a misspelt name stops the start with the nearest that is one', () => {
    const { wrong, message } = wrongIn({ PARLEY_AUTHTOKEN: 'x', PARLEY_PUBLIC_ULR: 'x' })
    assert.equal(wrong.length, 2)
    assert.match(message, /PARLEY_AUTHTOKEN=…\n.*PARLEY_AUTH_TOKEN\./)
    assert.match(message, /PARLEY_PUBLIC_ULR=…\n.*PARLEY_PUBLIC_URL\./)
  })
})

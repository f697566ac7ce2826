import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import twilio from 'twilio'
import twilio5 from 'twilio5'
import { type Params, sign, withBodyHash } from './signature.ts'

const TOKEN = '12345'

/** As a receiver's form parser hands them on: a repeated name has a list. */
const received = (params: Params): Record<string, string | string[]> => {
  const form = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of params) {
    const before = form[name]
    form[name] = before === undefined ? value : [before, value].flat()
  }
  return form
}

const libraries = [
  { version: '6.x', library: twilio },
  { version: '5.x', library: twilio5 },
]

const isAccepted = (url: string, params: Params, signature = sign(TOKEN, url, params)) =>
  libraries.map(({ library }) => library.validateRequest(TOKEN, signature, url, received(params)))

const accepted = [true, true]
const refused = [false, false]

describe('signing a webhook', () => {
  test('the published example has the published signature', () => {
    const signature = sign('12345', 'https://mycompany.com/myapp.php?foo=1&bar=2', [
      ['To', '+18005551212'],
      ['CallSid', 'CA1234567890ABCDE'],
      ['Caller', '+14158675309'],
      ['Digits', '1234'],
      ['From', '+14158675309'],
    ])
    assert.equal(signature, 'RSOYDt4T1cUTdK1PDd93/VVr8B8=')
  })

  const urls = {
    'a plain URL': 'https://shop.example/hook',
    'a query': 'https://shop.example/hook?a=1&b=two%20words&b=3',
    'a port of its own': 'https://shop.example:8443/hook?a=1',
    'http and a port': 'http://127.0.0.1:3000/new-message?channel=CH00000000000000000000000000000000',
    'a port that goes without saying': new URL('https://shop.example:443/hook?a=1').href,
    'user and password': 'https://vera:s3cret@shop.example/hook?a=1',
    'an IPv6 address': 'http://[2001:db8::1]:3000/hook?a=1',
    'letters from everywhere': new URL('https://bücher.example/käse/奶酪?menge=½&wer=Žofie').href,
    'an apostrophe in the query': new URL("https://shop.example/hook?who=O'Brien").href,
  }
  for (const [what, url] of Object.entries(urls))
    test(`the published libraries accept ${what}`, () => {
      assert.deepEqual(
        isAccepted(url, [
          ['Body', 'Grüße 👋 & more\r\n'],
          ['Attributes', '{}'],
        ]),
        accepted,
      )
      assert.deepEqual(isAccepted(url, []), accepted)
    })

  test('values that share a name count once each, sorted', () => {
    const params: Params = [
      ['Filter', 'b'],
      ['Filter', 'a'],
      ['Filter', 'b'],
      ['After', ''],
    ]
    assert.deepEqual(isAccepted('https://shop.example/hook', params), accepted)
    assert.equal(
      sign(TOKEN, 'https://shop.example/hook', params),
      sign(TOKEN, 'https://shop.example/hook', [
        ['After', ''],
        ['Filter', 'a'],
        ['Filter', 'b'],
      ]),
    )
  })

  test('another token, URL or value is refused', () => {
    const url = 'https://shop.example/hook?a=1'
    const params: Params = [['Body', 'hello']]
    assert.deepEqual(isAccepted(url, params, sign('54321', url, params)), refused)
    assert.deepEqual(isAccepted(url, params, sign(TOKEN, `${url}1`, params)), refused)
    assert.deepEqual(isAccepted(url, params, sign(TOKEN, url, [['Body', 'hallo']])), refused)
  })

  test('a body that is not a form is covered by its hash in the query', () => {
    const body = JSON.stringify({ text: 'Grüße 👋' })
    for (const plain of ['https://shop.example/hook', 'https://shop.example:8443/hook?a=1']) {
      const url = withBodyHash(plain, body)
      const signature = sign(TOKEN, url)
      for (const { library } of libraries) {
        assert.equal(library.validateRequestWithBody(TOKEN, signature, url, body), true)
        assert.equal(library.validateRequestWithBody(TOKEN, signature, url, `${body} `), false)
      }
    }
  })

  test('whatever is sent, the published libraries accept it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 })
    const name = fc.oneof(fc.constantFrom('Body', 'From', 'Filter', '10', '9', 'constructor'), text)
    const params = fc.array(fc.tuple(name, text), { maxLength: 12 })
    const url = fc
      .record({
        scheme: fc.constantFrom('http', 'https'),
        host: fc.oneof(fc.domain(), fc.ipV4(), fc.constant('bücher.example')),
        port: fc.option(fc.integer({ min: 1, max: 65_535 })),
        path: fc.webPath(),
        query: fc.array(fc.tuple(text, text), { maxLength: 4 }),
      })
      .map(({ scheme, host, port, path, query }) => {
        const url = new URL(`${scheme}://${host}${port === null ? '' : `:${port}`}${path}`)
        url.search = new URLSearchParams(query).toString()
        return url.href
      })
    fc.assert(
      fc.property(url, params, (url, params) => {
        assert.deepEqual(isAccepted(url, params), accepted)
      }),
      { numRuns: 300 },
    )
  })
})

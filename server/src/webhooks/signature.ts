/**
 * `X-Twilio-Signature`: how the receiver of a webhook knows that it came from us.
 *
 * The rule is Twilio's (https://www.twilio.com/docs/usage/webhooks/webhooks-security): base64 of HMAC-SHA1, keyed
 * with the account's auth token, over the URL as it is called followed by each name and value of the form, names
 * sorted. What is signed must be what is sent, so sign the URL last, when its query is complete.
 */
import { createHash, createHmac } from 'node:crypto'

/** Name and value, in the order they are sent; a name may come more than once. */
export type Params = readonly (readonly [name: string, value: string])[]

/**
 * @param url the URL called: user and password if it has them, query included, no fragment
 * @param params the form in the body; none for a GET, whose parameters are in the URL, nor for a JSON body
 * @returns the header's value
 */
export const sign = (authToken: string, url: string, params: Params = []): string =>
  createHmac('sha1', authToken)
    .update(url + signedForm(params), 'utf8')
    .digest('base64')

/** Values that share a name are sorted, and each counts once: receivers see them as a set. */
const signedForm = (params: Params): string => {
  const valuesOf = new Map<string, Set<string>>()
  for (const [name, value] of params) {
    const values = valuesOf.get(name)
    if (values) values.add(value)
    else valuesOf.set(name, new Set([value]))
  }
  return [...valuesOf.keys()]
    .sort()
    .flatMap((name) => [...(valuesOf.get(name) ?? [])].sort().map((value) => name + value))
    .join('')
}

/**
 * The URL to call, and to sign, for a body that is not a form: the body is covered by its hash in the query.
 * @param body the exact text that is sent
 */
export const withBodyHash = (url: string, body: string): string => {
  const hash = createHash('sha256').update(body, 'utf8').digest('hex')
  const called = new URL(url)
  called.search = [called.search.slice(1), `bodySHA256=${hash}`].filter((part) => part !== '').join('&')
  return called.href
}

/**
 * The access token of a visitor nobody knows: who asks gets an identity that the house makes up, good for one hour.
 * The published widget asks at the address of `iam`; two addresses of `preview` answer alike.
 */
import { many, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'

const answer = {
  identity: text(),
  /** The JWT itself. */
  token: text(),
  /** A moment as browsers parse it. */
  expiration: text(),
  roles: many(text()),
}

const newAt = <const P extends string>(product: 'iam' | 'preview', prefix: P) =>
  resource({
    product,
    name: 'iam.v1.token',
    many: `${prefix}/Accounts/{AccountSid}/Tokens`,
    answer,
    operations: {
      create: {
        reads: 'json',
        openTo: 'anyone',
        status: 200,
        about: 'JSON {"products":["flex"]}: a guest token.',
      },
    },
  })

const refreshAt = <const P extends string>(product: 'iam' | 'preview', prefix: P) =>
  resource({
    product,
    name: 'iam.v1.token.refresh',
    many: `${prefix}/Accounts/{AccountSid}/Tokens/refresh`,
    answer,
    operations: {
      create: {
        reads: 'json',
        openTo: 'anyone',
        status: 200,
        about: 'JSON {"token"}: a new guest token for the identity of one that is still good.',
      },
    },
  })

export const GuestToken = newAt('iam', '/v1')
export const GuestTokenRefresh = refreshAt('iam', '/v1')
export const PreviewGuestToken = newAt('preview', '/iam')
export const PreviewGuestTokenRefresh = refreshAt('preview', '/iam')
export const PreviewGuestTokenV1 = newAt('preview', '/iam/v1')
export const PreviewGuestTokenV1Refresh = refreshAt('preview', '/iam/v1')

export type GuestTokenRow = RowOf<typeof GuestToken>

/** Lets clients in: what their token opens, and the user they are, made at first sight. */
import { type Problem, problem } from '@parley/contract/problem.ts'
import { isRecord, requireGrant } from '../accounts/index.ts'
import { ensureUser, findUser, requireService } from '../chat/index.ts'
import type { AccessToken } from '../http/binding.ts'
import type { Store } from '../store/tx.ts'
import type { Client } from './client.ts'

interface ChatGrant {
  readonly serviceSid: string
  /** The role in the service of somebody who is no user yet. */
  readonly roleSid: string | undefined
}

/** The oldest libraries call chat by its first name. @throws 20106 without a grant for a service */
const chatGrantOf = (token: AccessToken): ChatGrant => {
  const { ip_messaging: old } = token.grants
  const grant = isRecord(token.grants.chat) || !isRecord(old) ? requireGrant(token, 'chat') : old
  const { service_sid: serviceSid, deployment_role_sid: roleSid } = grant
  if (typeof serviceSid !== 'string' || serviceSid === '')
    throw problem('token_grants', { reason: 'its chat grant names no service' })
  return { serviceSid, roleSid: typeof roleSid === 'string' ? roleSid : undefined }
}

/**
 * The user of somebody whose token is believed.
 * @throws 20106 for a grant that opens nothing, with the reason
 */
export const arrive = async (
  store: Store,
  token: AccessToken,
): Promise<Pick<Client, 'serviceSid' | 'userSid'>> => {
  const { serviceSid, roleSid } = chatGrantOf(token)
  const { accountSid, identity } = token
  try {
    const service = await requireService(store.reader, accountSid, serviceSid)
    const known = await findUser(store.reader, serviceSid, identity)
    if (known?.identity === identity) return { serviceSid, userSid: known.sid }
    const actor = { kind: 'client', identity } as const
    const user = await store.transact('chat.arrive', (tx) =>
      ensureUser(tx, { service, identity, ...(roleSid ? { roleSid } : {}), actor }),
    )
    return { serviceSid, userSid: user.sid }
  } catch (fault) {
    throw refused(fault, serviceSid)
  }
}

/** A client that is refused for anything but its token tries again for ever. */
const refused = (fault: unknown, serviceSid: string): unknown => {
  const { problem: name, message } = fault as Problem
  if (name === 'service_not_found')
    return problem('token_grants', { reason: `its account has no chat service ${serviceSid.slice(0, 64)}` })
  return name === undefined || (fault as Problem).status >= 500
    ? fault
    : problem('token_grants', { reason: message })
}

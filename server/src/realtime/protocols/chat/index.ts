/**
 * The chat client API: what the published clients ask through the tunnel, beside following what they see. Each request
 * is one of REST in other words, and is answered by the same verbs; only what is read of users and one's own channels
 * has an answer of its own here.
 */
import { problem } from '@parley/contract/problem.ts'
import type { Client, TunnelledAnswer, TunnelledRequest } from '../../client.ts'
import { type Asked, type ChatApi, tokenOf, type Version } from './asked.ts'
import { configuration } from './configuration.ts'
import {
  createConversation,
  deleteConversation,
  fetchConversation,
  listConversations,
  updateConversation,
} from './conversations.ts'
import { decoded } from './decoded.ts'
import { createMessage, deleteMessage, fetchMessage, listReceipts, updateMessage } from './messages.ts'
import { fetchMine, listMine, updateMine } from './my-conversations.ts'
import {
  createInvite,
  createParticipant,
  deleteInvite,
  deleteParticipant,
  fetchParticipant,
  updateParticipant,
} from './participants.ts'
import { sayTyping } from './typing.ts'
import { fetchUser, listUsers, updateUser } from './users.ts'

export type { ChatApi } from './asked.ts'
export { answerRegistrations } from './registrations.ts'

/** What the pattern of its path has caught, decoded. */
type Answer = (asked: Asked, ...caught: string[]) => Promise<TunnelledAnswer>

interface Route {
  readonly path: RegExp
  readonly answers: Readonly<Record<string, Answer>>
}

const route = (path: RegExp, answers: Route['answers']): Route => ({ path, answers })

/** Identities may hold slashes, and come as they are: each is whatever follows. */
const routes: readonly Route[] = [
  route(/^Conversations$/, { GET: listConversations, POST: createConversation }),
  route(/^Conversations\/([^/]+)$/, {
    GET: fetchConversation,
    POST: updateConversation,
    DELETE: deleteConversation,
  }),
  route(/^Conversations\/([^/]+)\/Messages$/, { POST: createMessage }),
  route(/^Conversations\/([^/]+)\/Messages\/([^/]+)$/, {
    GET: fetchMessage,
    POST: updateMessage,
    DELETE: deleteMessage,
  }),
  route(/^Conversations\/([^/]+)\/Messages\/([^/]+)\/Receipts$/, { GET: listReceipts }),
  route(/^Conversations\/([^/]+)\/Participants$/, { POST: createParticipant }),
  route(/^Conversations\/([^/]+)\/Participants\/(.+)$/s, {
    GET: fetchParticipant,
    POST: updateParticipant,
    DELETE: deleteParticipant,
  }),
  route(/^Conversations\/([^/]+)\/Invites$/, { POST: createInvite }),
  route(/^Conversations\/([^/]+)\/Invites\/(.+)$/s, { DELETE: deleteInvite }),
  route(/^Typing$/, {
    POST: (asked) => sayTyping(asked, asked.body.ChannelSid ?? asked.body.ConversationSid),
  }),
  route(/^Users$/, { GET: listUsers }),
  route(/^Users\/(.+)$/s, { GET: fetchUser, POST: updateUser }),
]

/** Below the client's own user. */
const mine: readonly Route[] = [
  route(/^Conversations$/, { GET: listMine }),
  route(/^Conversations\/([^/]+)$/, { GET: fetchMine, POST: updateMine }),
]

/** There are none: they are of messages to telephones. */
const noTemplates: Answer = async () => ({
  status: 200,
  body: { templates: [], meta: { previous_token: null, next_token: null } },
})

const outside: readonly Route[] = [
  route(/^Configuration$/, { GET: configuration }),
  route(/^ContentTemplates$/, { GET: noTemplates }),
]

const IN_SERVICE = /^Services\/([^/]+)\/(.*)$/s

/**
 * @param path behind the version: `Services/IS…/Conversations`
 * @throws what is refused, and 404 / 20404 for a path that is none of these
 */
export const answerChat = async (
  api: ChatApi,
  client: Client,
  { method, query, body }: TunnelledRequest,
  version: Version,
  path: string,
): Promise<TunnelledAnswer> => {
  const { serviceSid } = client
  const asked: Asked = {
    api,
    client,
    token: tokenOf(client),
    serviceSid,
    version,
    query,
    body: isRecord(body) ? body : {},
  }
  const [, named, inService] = IN_SERVICE.exec(path) ?? []
  if (inService === undefined) return answerBy(outside, asked, method, path)
  if (named !== serviceSid) throw problem('not_permitted')
  const own = `Users/${client.userSid}/Conversations`
  return inService === own || inService.startsWith(`${own}/`)
    ? answerBy(mine, asked, method, inService.slice(`Users/${client.userSid}/`.length))
    : answerBy(routes, asked, method, inService)
}

const answerBy = async (
  table: readonly Route[],
  asked: Asked,
  method: string,
  path: string,
): Promise<TunnelledAnswer> => {
  for (const it of table) {
    const found = it.path.exec(path)
    if (!found) continue
    const answer = it.answers[method]
    if (!answer) throw problem('method_not_allowed', { method, path })
    return answer(asked, ...found.slice(1).map(decoded))
  }
  throw problem('not_found', { path })
}

const isRecord = (it: unknown): it is Readonly<Record<string, unknown>> =>
  typeof it === 'object' && it !== null && !Array.isArray(it)

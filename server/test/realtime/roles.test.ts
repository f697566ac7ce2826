/**
 * What roles allow, over the socket as over REST: each thing that a client can do is refused where the one permission
 * for it is missing, in Twilio's own shape and with nothing changed, and done where that one is there.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Follower, setStage } from '../protocols/followers.ts'
import { openWorld } from '../world/index.ts'

const world = await openWorld({ live: true })
after(() => world[Symbol.asyncDispose]())
const { service, serviceSid, enter } = await setStage(world)

const DEPLOYMENT = ['createChannel', 'joinChannel', 'editOwnUserInfo', 'editAnyUserInfo'] as const
const CHANNEL = [
  'sendMessage',
  'sendMediaMessage',
  'leaveChannel',
  'editNotificationLevel',
  'addMember',
  'inviteMember',
  'removeMember',
  'destroyChannel',
  'editChannelName',
  'editChannelAttributes',
  'editOwnMemberAttributes',
  'editAnyMemberAttributes',
  'editOwnMessage',
  'editAnyMessage',
  'editOwnMessageAttributes',
  'editAnyMessageAttributes',
  'deleteOwnMessage',
  'deleteAnyMessage',
] as const

type Permission = (typeof DEPLOYMENT | typeof CHANNEL)[number]

interface Scene {
  readonly channel: string
  /** A public channel that Vera is not in. */
  readonly elsewhere: string
  readonly own: string
  readonly others: string
  readonly vera: Follower
}

interface Case {
  readonly does: string
  /** The permission that lets it. */
  readonly by: Permission
  /** Others that let it too. */
  readonly orBy?: readonly Permission[]
  readonly ask: (scene: Scene) => readonly [method: string, path: string, body?: object]
}

const at = (path: string): string => `/Client/v1/Services/${serviceSid}/${path}`

const cases: readonly Case[] = [
  {
    does: 'create a channel',
    by: 'createChannel',
    ask: () => ['POST', at('Conversations'), { type: 'private' }],
  },
  {
    does: 'join a public channel',
    by: 'joinChannel',
    ask: ({ elsewhere }) => ['POST', at(`Conversations/${elsewhere}/Participants`), { identity: 'vera' }],
  },
  {
    does: 'change their own name',
    by: 'editOwnUserInfo',
    orBy: ['editAnyUserInfo'],
    ask: () => ['POST', at('Users/vera'), { friendly_name: 'Other' }],
  },
  {
    does: "change another's name",
    by: 'editAnyUserInfo',
    ask: () => ['POST', at('Users/ana'), { friendly_name: 'Other' }],
  },
  {
    does: 'send a message',
    by: 'sendMessage',
    ask: ({ channel }) => ['POST', at(`Conversations/${channel}/Messages`), { body: 'hello' }],
  },
  {
    does: 'leave',
    by: 'leaveChannel',
    orBy: ['removeMember'],
    ask: ({ channel }) => ['DELETE', at(`Conversations/${channel}/Participants/vera`)],
  },
  {
    does: 'say how loud a channel is',
    by: 'editNotificationLevel',
    ask: ({ channel, vera }) => ['POST', vera.mine(channel), { notification_level: 'muted' }],
  },
  {
    does: 'add somebody',
    by: 'addMember',
    ask: ({ channel }) => ['POST', at(`Conversations/${channel}/Participants`), { identity: 'sol' }],
  },
  {
    does: 'invite somebody',
    by: 'inviteMember',
    ask: ({ channel }) => ['POST', at(`Conversations/${channel}/Invites`), { identity: 'sol' }],
  },
  {
    does: 'remove somebody',
    by: 'removeMember',
    ask: ({ channel }) => ['DELETE', at(`Conversations/${channel}/Participants/ana`)],
  },
  {
    does: 'destroy a channel',
    by: 'destroyChannel',
    ask: ({ channel }) => ['DELETE', at(`Conversations/${channel}`)],
  },
  {
    does: 'name a channel',
    by: 'editChannelName',
    ask: ({ channel }) => ['POST', at(`Conversations/${channel}`), { friendly_name: 'Other' }],
  },
  {
    does: "change a channel's attributes",
    by: 'editChannelAttributes',
    ask: ({ channel }) => ['POST', at(`Conversations/${channel}`), { attributes: '{"a":1}' }],
  },
  {
    does: 'change their own attributes',
    by: 'editOwnMemberAttributes',
    orBy: ['editAnyMemberAttributes'],
    ask: ({ channel }) => [
      'POST',
      at(`Conversations/${channel}/Participants/vera`),
      { attributes: '{"a":1}' },
    ],
  },
  {
    does: "change another member's attributes",
    by: 'editAnyMemberAttributes',
    ask: ({ channel }) => [
      'POST',
      at(`Conversations/${channel}/Participants/ana`),
      { attributes: '{"a":1}' },
    ],
  },
  ...(
    [
      ['own', 'edit their own message', 'editOwnMessage', { body: 'other' }, ['editAnyMessage']],
      ['others', "edit another's message", 'editAnyMessage', { body: 'other' }, []],
      [
        'own',
        "change their own message's attributes",
        'editOwnMessageAttributes',
        { attributes: '{"a":1}' },
        ['editAnyMessageAttributes'],
      ],
      [
        'others',
        "change another's message's attributes",
        'editAnyMessageAttributes',
        { attributes: '{"a":1}' },
        [],
      ],
    ] as const
  ).map(
    ([whose, does, by, body, orBy]): Case => ({
      does,
      by,
      orBy,
      ask: (scene) => ['POST', at(`Conversations/${scene.channel}/Messages/${scene[whose]}`), body],
    }),
  ),
  {
    does: 'remove their own message',
    by: 'deleteOwnMessage',
    orBy: ['deleteAnyMessage'],
    ask: ({ channel, own }) => ['DELETE', at(`Conversations/${channel}/Messages/${own}`)],
  },
  {
    does: "remove another's message",
    by: 'deleteAnyMessage',
    ask: ({ channel, others }) => ['DELETE', at(`Conversations/${channel}/Messages/${others}`)],
  },
]

/** Vera as a member with these permissions and no other. */
const setScene = async (permissions: readonly Permission[], vera: Follower): Promise<Scene> => {
  const role = async (type: 'deployment' | 'channel', all: readonly Permission[]) => {
    const of = permissions.filter((it) => all.includes(it))
    // A role has at least one permission: this one is never asked for here.
    const permission = of.length > 0 ? of : type === 'channel' ? ['sendMediaMessage'] : ['createChannel']
    return (await service.roles.create({ friendlyName: `${type} ${made++}`, type, permission })).sid
  }
  const deployment = permissions.some((it) => (DEPLOYMENT as readonly Permission[]).includes(it))
    ? await role('deployment', DEPLOYMENT)
    : nothingInService
  await service.users('vera').update({ roleSid: deployment })
  const { sid: channel } = await service.channels.create({ type: 'private' })
  const { sid: elsewhere } = await service.channels.create({ type: 'public' })
  await service.channels(channel).members.create({ identity: 'ana' })
  await service
    .channels(channel)
    .members.create({ identity: 'vera', roleSid: await role('channel', CHANNEL) })
  const { messages } = service.channels(channel)
  const own = await messages.create({ body: 'mine', from: 'vera' })
  const others = await messages.create({ body: 'theirs', from: 'ana' })
  return { channel, elsewhere, own: own.sid, others: others.sid, vera }
}

let made = 0

/** What of a scene a refused request must leave as it was. */
const stateOf = async ({ channel, elsewhere }: Scene): Promise<string> => {
  const it = service.channels(channel)
  const all = await Promise.all([
    it.fetch(),
    it.members.list(),
    it.invites.list(),
    it.messages.list(),
    service.channels(elsewhere).members.list(),
    service.users('vera').fetch(),
    service.users('ana').fetch(),
  ])
  return JSON.stringify(all)
}

for (const identity of ['vera', 'ana', 'sol']) await service.users.create({ identity })
const vera = await enter('vera')
after(() => vera[Symbol.asyncDispose]())
/** A role in the service must allow something; this allows what no case asks of it. */
const nothingInService = (
  await service.roles.create({ friendlyName: 'nothing', type: 'deployment', permission: ['editOwnMessage'] })
).sid

for (const { does, by, orBy = [], ask } of cases)
  test(`to ${does} takes ${by}`, async () => {
    const everything = [...DEPLOYMENT, ...CHANNEL]
    const without = await setScene(
      everything.filter((it) => it !== by && !orBy.includes(it)),
      vera,
    )
    const before = await stateOf(without)
    const [method, path, body] = ask(without)
    const refused = await vera.client.ask(method, path, body)
    assert.equal(refused.status, 403)
    assert.deepEqual(refused.body, {
      code: 50107,
      message: 'User unauthorized for command',
      more_info: 'https://www.twilio.com/docs/errors/50107',
      status: 403,
    })
    assert.equal(await stateOf(without), before)
    for (const permission of [by, ...orBy]) {
      const scene = await setScene([permission], vera)
      const { status } = await vera.client.ask(...ask(scene))
      assert.ok(status >= 200 && status < 300, `${permission}: ${status}`)
    }
  })

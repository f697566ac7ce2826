/** A service with channels and their members, made in Parley over REST or found at a ceiling. */
import { forEach, memberName, type Scene } from './crowd.ts'
import { API_KEY, ask, newFolder, openParley, openProgram, type Program } from './programs.ts'

export interface Size {
  readonly channels: number
  readonly membersEach: number
}

const AT_ONCE = 32

/** What a service allows at the most, of members in a channel and of channels of a user. */
const LIMIT_MAX = '1000'

const seats = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at)

export const makeScene = async (url: string, { channels, membersEach }: Size): Promise<Scene> => {
  const serviceSid = String((await ask(url, 'POST', '/v2/Services', { FriendlyName: 'Bench' })).sid)
  const service = `/v2/Services/${serviceSid}`
  await ask(url, 'POST', service, {
    'Limits.ChannelMembers': LIMIT_MAX,
    'Limits.UserChannels': LIMIT_MAX,
  })
  const made: { sid: string; members: string[] }[] = []
  await forEach(seats(channels), AT_ONCE, async (at) => {
    made[at] = { sid: String((await ask(url, 'POST', `${service}/Channels`, {})).sid), members: [] }
  })
  const members = made.flatMap((channel, at) =>
    seats(membersEach).map((seat) => ({ channel, identity: memberName(at, seat) })),
  )
  await forEach(members, AT_ONCE, async ({ channel, identity }) => {
    await ask(url, 'POST', `${service}/Channels/${channel.sid}/Members`, { Identity: identity })
    channel.members.push(identity)
  })
  return { url, serviceSid, channels: made }
}

const channelName = (at: number): string => `CH${String(at).padStart(32, '0')}`

/** The same at a ceiling, whose channels have the numbers they were made with. */
export const ceilingScene = (url: string, { channels, membersEach }: Size): Scene => ({
  url,
  serviceSid: `IS${'0'.repeat(32)}`,
  channels: seats(channels).map((at) => ({
    sid: channelName(at),
    members: seats(membersEach).map((seat) => memberName(at, seat)),
  })),
})

/** What a message says where it does not matter. */
export const TEXT = 'The parcel has not arrived, can you look where it is?'

/** Measures something in a Parley of its own. */
export const onParley = async <T>(
  size: Size,
  measure: (scene: Scene, parley: Program) => Promise<T>,
): Promise<T> => {
  await using folder = await newFolder()
  await using parley = await openParley(folder.path)
  return await measure(await makeScene(parley.url, size), parley)
}

/** The same at the chat socket's ceiling, which may begin with messages in each channel. */
export const onCeiling = async <T>(
  size: Size,
  measure: (scene: Scene, ceiling: Program) => Promise<T>,
  messagesEach = 0,
): Promise<T> => {
  await using folder = await newFolder()
  const args = [folder.path, String(size.channels), String(messagesEach), TEXT, API_KEY.secret]
  await using ceiling = await openProgram('ceilings/chat-socket.ts', args)
  return await measure(ceilingScene(ceiling.url, size), ceiling)
}

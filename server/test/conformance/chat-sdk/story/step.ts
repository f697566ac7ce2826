/** A step of the story, and the words that steps are told with. */
import assert from 'node:assert/strict'
import { type Person, Refused } from '../person.ts'
import type { Scene } from '../scene.ts'
import type { Ability } from '../sdks.ts'
import type { Heard, SeenMessage } from '../seen.ts'

export interface Step {
  readonly title: string
  /** Without it the SDK has nothing to tell here. */
  readonly needs?: Ability
  readonly tell: (scene: Scene) => Promise<void>
}

/** Holds where somebody's SDK is refused with one of Twilio's codes. */
export const isRefused = (asking: Promise<unknown>, code: number): Promise<void> =>
  assert.rejects(asking, (fault) => {
    assert.ok(fault instanceof Refused, String(fault))
    assert.equal(fault.code, code, `${fault.message} (status ${fault.status})`)
    return true
  })

const AT_ONCE = 25

/** Does something that often, some at a time. */
export const inTurns = async (times: number, act: (number: number) => Promise<unknown>): Promise<void> => {
  for (let done = 0; done < times; done += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, times - done) }, (_, i) => act(done + i)))
}

/** Whether what was heard is of a message at an index. */
export const isAt =
  (channelSid: string, index: number) =>
  ({ message }: Heard): boolean =>
    message?.channelSid === channelSid && message.index === index

/** The messages that somebody was told of in a channel, as often as they were told. */
export const toldOf = (person: Person, channelSid: string, event = 'messageAdded'): SeenMessage[] =>
  person.heard.flatMap(({ event: it, message }) =>
    it === event && message?.channelSid === channelSid ? [message] : [],
  )

type RestMessage = Awaited<
  ReturnType<ReturnType<ReturnType<Scene['service']['channels']>['messages']>['fetch']>
>

/** What REST says of a message, as an SDK would show it. */
export const shownByRest = (it: RestMessage) => {
  const media = it.media as {
    sid: string
    filename: string | null
    content_type: string
    size: number
  } | null
  return {
    sid: it.sid,
    channelSid: it.channelSid,
    index: it.index,
    author: it.from,
    body: media ? null : it.body,
    attributes: JSON.parse(it.attributes) as unknown,
    lastUpdatedBy: it.wasEdited ? it.lastUpdatedBy : null,
    media: media && {
      ...{ sid: media.sid, filename: media.filename },
      ...{ contentType: media.content_type, size: media.size },
    },
  }
}

/** What REST says now of a message that an SDK shows. */
export const readAgain = async ({ service }: Scene, { sid, channelSid }: SeenMessage) =>
  shownByRest(await service.channels(channelSid).messages(sid).fetch())

/** What of a message everybody must agree on. */
export const agreed = ({ dateCreated: _, memberSid: __, ...rest }: SeenMessage) => rest

/**
 * The attributes that Flex writes on channels and tasks, and how it reads those that others have written. Attributes
 * may be any JSON: what is no object tells nothing.
 */
import { ATTRIBUTES_BYTES_MAX } from '@parley/contract/chat/limits.ts'
import { problem } from '@parley/contract/problem.ts'

type JsonObject = Readonly<Record<string, unknown>>

export const ACTIVE = 'ACTIVE'
export const INACTIVE = 'INACTIVE'

/** Who a member of a channel is to Flex. */
export const GUEST_MEMBER = '{"member_type":"guest"}'
export const AGENT_MEMBER = '{"member_type":"agent"}'

export const asObject = (json: string): JsonObject => {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
  } catch {
    return {}
  }
}

/** Whether the attributes of a channel say that the conversation is over; undefined where they say nothing. */
export const saysOver = (channelAttributes: string): boolean | undefined => {
  const { status } = asObject(channelAttributes)
  if (typeof status !== 'string') return undefined
  return status.toUpperCase() === INACTIVE
}

export const isAgent = (memberAttributes: string): boolean =>
  asObject(memberAttributes).member_type === 'agent'

/** The chat channel that a task is about. */
export const channelSidOf = (taskAttributes: string): string | undefined => {
  const { channelSid } = asObject(taskAttributes)
  return typeof channelSid === 'string' && channelSid.startsWith('CH') ? channelSid : undefined
}

/**
 * The attributes with some members changed, the others kept in their places.
 * @throws 50303 where they would be longer than a channel may carry
 */
export const changed = (channelAttributes: string, changes: JsonObject): string =>
  bounded(JSON.stringify({ ...asObject(channelAttributes), ...changes }))

export interface ChannelAttributesWanted {
  readonly longLived: boolean
  /** JSON. */
  readonly preEngagementData: string | undefined
  readonly from: string
  readonly channelType: string
  readonly taskSid: string | null
}

/**
 * What a new channel carries, in the order in which it was observed.
 * @throws 50303 where it would be longer than a channel may carry
 */
export const newChannelAttributes = (it: ChannelAttributesWanted): string =>
  bounded(
    JSON.stringify({
      status: ACTIVE,
      long_lived: it.longLived,
      ...(it.preEngagementData === undefined
        ? {}
        : { pre_engagement_data: JSON.parse(it.preEngagementData) }),
      from: it.from,
      channel_type: it.channelType,
      ...(it.taskSid === null ? {} : { task_sid: it.taskSid }),
    }),
  )

const bounded = (attributes: string): string => {
  if (Buffer.byteLength(attributes) > ATTRIBUTES_BYTES_MAX)
    throw problem('attributes_too_long', { max: ATTRIBUTES_BYTES_MAX })
  return attributes
}

export interface TaskAttributesWanted {
  readonly channelSid: string
  readonly name: string
  readonly channelType: string
  /** JSON of an object, added to those of Flex. */
  readonly given: string | undefined
}

/** What a task for a channel carries. Whatever is given, the task stays about its channel. */
export const newTaskAttributes = ({
  channelSid,
  name,
  channelType,
  given = '{}',
}: TaskAttributesWanted): string => {
  const { channelSid: _, ...others } = asObject(given)
  return JSON.stringify({ channelSid, name, channelType, ...others })
}

/** Which part of the past is asked about, and of which tasks. */
import { problem } from '@parley/contract/problem.ts'
import { SPLITS_MAX, STATISTICS_DAYS, STATISTICS_MINUTES } from '@parley/contract/taskrouter/statistics.ts'
import type { Reader } from '../../store/tx.ts'
import { findTaskChannel } from '../parents.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** A day longer than may be asked about, so that whoever asks for all of it is not too late by the time it takes. */
export const KEPT_MS = (STATISTICS_DAYS + 1) * DAY_MS

/** Milliseconds since 1970; both ends belong to it. */
export interface Window {
  readonly start: number
  readonly end: number
}

/**
 * `StartDate` counts before `Minutes`; without either, the last fifteen minutes before `EndDate`.
 * @throws 400 for a start after the end, and for one longer ago than happenings are kept
 */
export const readWindow = (
  now: number,
  {
    minutes = STATISTICS_MINUTES,
    startDate,
    endDate,
  }: { minutes?: number | undefined; startDate?: number | undefined; endDate?: number | undefined },
): Window => {
  const end = endDate ?? now
  const start = startDate ?? end - minutes * MINUTE_MS
  const parameter = startDate === undefined ? 'EndDate' : 'StartDate'
  if (start > end) throw problem('invalid_parameter', { parameter, reason: 'the start is after the end' })
  if (start < now - KEPT_MS)
    throw problem('invalid_parameter', {
      parameter,
      reason: `statistics go back ${STATISTICS_DAYS} days`,
    })
  return { start, end }
}

/**
 * Reads `SplitByWaitTime`: thresholds in seconds, `5,30`.
 * @throws 400
 */
export const readSplits = (text: string | undefined): number[] => {
  if (text === undefined || text.trim() === '') return []
  const parts = text.split(',', SPLITS_MAX + 1).map((it) => it.trim())
  if (parts.length > SPLITS_MAX || !parts.every((it) => /^\d{1,9}$/.test(it)))
    throw problem('invalid_parameter', {
      parameter: 'SplitByWaitTime',
      reason: `expected up to ${SPLITS_MAX} whole numbers of seconds with commas between, like 5,30`,
    })
  return [...new Set(parts.map(Number))]
}

/**
 * The SID of the task channel that `TaskChannel` names, by SID or unique name.
 * @throws 400 where the workspace has none like it
 */
export const readChannel = async (
  reader: Reader,
  workspaceSid: string,
  name: string | undefined,
): Promise<string | undefined> => {
  if (name === undefined) return undefined
  const channel = await findTaskChannel(reader, workspaceSid, name)
  if (!channel)
    throw problem('invalid_parameter', {
      parameter: 'TaskChannel',
      reason: 'there is no task channel with this SID or unique name in the workspace',
    })
  return channel.sid
}

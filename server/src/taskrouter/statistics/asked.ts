/** What the requests for statistics have in common. */
import type { WorkspaceRow } from '@parley/contract/taskrouter/workspace.ts'
import type { Reader } from '../../store/tx.ts'
import { requireWorkspace } from '../parents.ts'
import { readChannel } from './window.ts'

export interface Asked {
  readonly accountSid: string
  readonly path: { readonly workspaceSid: string }
  readonly input: {
    readonly taskChannel?: string | undefined
    readonly minutes?: number | undefined
    readonly startDate?: number | undefined
    readonly endDate?: number | undefined
    readonly splitByWaitTime?: string | undefined
  }
}

export interface Of {
  /** The columns that say whose numbers they are. */
  readonly whose: { account_sid: string; workspace_sid: string }
  readonly workspace: WorkspaceRow
  /** The only task channel that counts, where one is named. */
  readonly channelSid: string | undefined
}

/**
 * The workspace and the task channel that are asked about.
 * @throws 404 for a workspace that is not this account's
 * @throws 400 for a task channel it does not have
 */
export const readAsked = async (reader: Reader, call: Asked): Promise<Of> => {
  const workspace = await requireWorkspace(reader, call)
  const channelSid = await readChannel(reader, workspace.sid, call.input.taskChannel)
  return {
    whose: { account_sid: workspace.account_sid, workspace_sid: workspace.sid },
    workspace,
    channelSid,
  }
}

import type { AccessToken } from '../http/binding.ts'

/** Whether a token is that of an agent's desktop: one that may work with tasks. */
export const isDesk = ({ grants }: AccessToken): boolean =>
  typeof grants.task_router === 'object' && grants.task_router !== null

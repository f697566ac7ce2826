/** Keys are deleted and accounts suspended while somebody is here who came in by them. */
import type { Reader, Tx } from '../store/tx.ts'
import { findAccount, findApiKey } from './account.ts'

/** Said when a key or an account has ceased to open anything. It is a hint: what still opens is read. */
export const ACCESS_TOPIC = 'accounts.access'

export const sayAccessEnded = (tx: Tx): void => tx.notice({ topic: ACCESS_TOPIC, about: null })

/** @returns why a key opens nothing any more; nothing where it does */
export const whyShut = async (
  reader: Reader,
  { keySid, accountSid }: { readonly keySid: string; readonly accountSid: string },
): Promise<string | undefined> => {
  if (!(await findApiKey(reader, keySid))) return 'its API key was deleted'
  const account = await findAccount(reader, accountSid)
  return account?.status === 'active' ? undefined : 'its account is suspended'
}

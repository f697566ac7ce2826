/**
 * Who is here by which key. A key may be deleted, or an account suspended, while clients that came in by it are
 * connected: their connections are ended, and what they show when they come back is not believed.
 */
import { ACCESS_TOPIC, whyShut } from '../accounts/index.ts'
import type { Bus } from '../bus/index.ts'
import type { AccessToken } from '../http/binding.ts'
import type { Reader } from '../store/tx.ts'

/** Whoever is connected by an access token. */
export interface Bearer {
  /** The one shown last. */
  readonly token: AccessToken
  close(why: string): void
}

export interface Access {
  /** @throws a Problem, 20101 to 20107 */
  believe(jwt: string): Promise<AccessToken>
  entered(bearer: Bearer): void
  left(bearer: Bearer): void
}

export interface AccessOptions {
  readonly reader: Reader
  readonly bus: Bus
  readonly believe: (jwt: string) => Promise<AccessToken>
  readonly onFault: (fault: unknown) => void
}

export const openAccess = ({ reader, bus, believe, onFault }: AccessOptions): Access => {
  const bearers = new Set<Bearer>()
  /** How often something has ceased to open: what was believed before may not be any more. */
  let endings = 0
  const believedAt = new WeakMap<AccessToken, number>()

  const whyNot = async (token: AccessToken): Promise<string | undefined> => {
    try {
      return await whyShut(reader, token)
    } catch (fault) {
      onFault(fault)
      // It comes back, and is judged anew.
      return 'whether its API key still opens this could not be read'
    }
  }

  /** Each key is read once, however many came in by it. */
  const look = async (those: readonly Bearer[]): Promise<void> => {
    for (const ofKey of Map.groupBy(those, (it) => it.token.keySid).values()) {
      const why = await whyNot((ofKey[0] as Bearer).token)
      if (why !== undefined) for (const bearer of ofKey) bearer.close(why)
    }
  }

  const lookAtAll = (): void => {
    endings += 1
    void look([...bearers])
  }
  bus.subscribe(ACCESS_TOPIC, lookAtAll)
  bus.onMissed(lookAtAll)

  return {
    believe: async (jwt) => {
      const before = endings
      const token = await believe(jwt)
      believedAt.set(token, before)
      return token
    },
    entered: (bearer) => {
      bearers.add(bearer)
      if (believedAt.get(bearer.token) !== endings) void look([bearer])
    },
    left: (bearer) => {
      bearers.delete(bearer)
    },
  }
}

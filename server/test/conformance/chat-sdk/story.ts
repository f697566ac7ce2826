/** The whole story, told once and lived through with each published SDK. */
import { test } from 'node:test'
import { openScene, type SceneOptions } from './scene.ts'
import type { Sdk } from './sdks.ts'
import { arriving } from './story/arriving.ts'
import { channels } from './story/channels.ts'
import { messages } from './story/messages.ts'
import { people, peopleAtOnce } from './story/people.ts'
import { leaving, resuming } from './story/resuming.ts'
import type { Step } from './story/step.ts'
import { expiring, renewing } from './story/tokens.ts'

/** How many steps may be told at once. */
const AT_ONCE = 8

/** The story is one test with its steps in it: it may take as long as several, and each step as long as one. */
const STORY_MS = 15 * 60_000
const STEP_MS = 5 * 60_000

const oneByOne = (steps: readonly Step[]): (readonly Step[])[] => steps.map((it) => [it])

/** What is in one group is told at once, so that one waits while the other does. */
const UNTIL_THE_END: readonly (readonly Step[])[] = [
  ...oneByOne([...arriving, ...channels, ...messages, ...people]),
  [...peopleAtOnce, renewing],
  ...oneByOne([expiring, ...resuming]),
]

/** What each has to tell who has what a step needs. */
export const STORY: readonly Step[] = [...UNTIL_THE_END.flat(), ...leaving]

export interface Telling extends SceneOptions {
  /** What only some have to tell. */
  readonly beforeTheEnd?: readonly Step[]
}

/** @param where if it is told in more than one place */
export const tellStory = (sdk: Sdk, where = '', { beforeTheEnd = [], ...options }: Telling = {}): void => {
  const title = where ? `${sdk.title} ${where}` : sdk.title
  const groups = [...UNTIL_THE_END, ...oneByOne([...beforeTheEnd, ...leaving])]
  test(title, { concurrency: AT_ONCE, timeout: STORY_MS }, async (t) => {
    await using scene = await openScene(sdk, options)
    for (const steps of groups)
      await Promise.all(
        steps
          .filter(({ needs }) => !needs || sdk.can.includes(needs))
          .map((step) => t.test(`${title} ${step.title}`, { timeout: STEP_MS }, () => step.tell(scene))),
      )
  })
}

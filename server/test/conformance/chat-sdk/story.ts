/** The whole story, told once and lived through with each published SDK. */
import { test } from 'node:test'
import { openScene, type SceneOptions } from './scene.ts'
import type { Sdk } from './sdks.ts'
import { arriving } from './story/arriving.ts'
import { channels } from './story/channels.ts'
import { messages } from './story/messages.ts'
import { people } from './story/people.ts'
import { leaving, resuming } from './story/resuming.ts'
import type { Step } from './story/step.ts'
import { tokens } from './story/tokens.ts'

const UNTIL_THE_END: readonly Step[] = [
  ...[...arriving, ...channels, ...messages],
  ...[...people, ...tokens, ...resuming],
]

/** What each has to tell who has what a step needs. */
export const STORY: readonly Step[] = [...UNTIL_THE_END, ...leaving]

export interface Telling extends SceneOptions {
  /** What only some have to tell. */
  readonly beforeTheEnd?: readonly Step[]
}

/** @param where if it is told in more than one place */
export const tellStory = (sdk: Sdk, where = '', { beforeTheEnd = [], ...options }: Telling = {}): void => {
  const title = where ? `${sdk.title} ${where}` : sdk.title
  test(title, async (t) => {
    await using scene = await openScene(sdk, options)
    for (const { title: step, needs, tell } of [
      ...STORY.slice(0, -leaving.length),
      ...beforeTheEnd,
      ...leaving,
    ])
      if (!needs || sdk.can.includes(needs)) await t.test(`${title} ${step}`, () => tell(scene))
  })
}

/** The whole story, told once and lived through with each published SDK. */
import { test } from 'node:test'
import { openScene, type SceneOptions } from './scene.ts'
import type { Sdk } from './sdks.ts'
import { arriving } from './story/arriving.ts'
import { channels } from './story/channels.ts'
import { messages } from './story/messages.ts'
import { people } from './story/people.ts'
import { resuming } from './story/resuming.ts'
import type { Step } from './story/step.ts'
import { tokens } from './story/tokens.ts'

const STORY: readonly Step[] = [...arriving, ...channels, ...messages, ...people, ...tokens, ...resuming]

/** @param where if it is told in more than one place */
export const tellStory = (sdk: Sdk, where = '', options: SceneOptions = {}): void => {
  const title = where ? `${sdk.title} ${where}` : sdk.title
  test(title, async (t) => {
    await using scene = await openScene(sdk, options)
    for (const { title: step, needs, tell } of STORY)
      if (!needs || sdk.can.includes(needs)) await t.test(`${title} ${step}`, () => tell(scene))
  })
}

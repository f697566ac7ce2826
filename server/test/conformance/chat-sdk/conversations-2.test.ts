import { SDKS } from './sdks.ts'
import { tellStory } from './story.ts'

tellStory(SDKS.conversations2)

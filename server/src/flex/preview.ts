/** Flex Flows as their first address showed them: without an integration, but with the Studio flow where it has one. */
import type { FlexFlowRow, StudioIntegration } from '@parley/contract/flex/flex-flow.ts'
import { PreviewFlexFlow, type PreviewFlexFlowRow } from '@parley/contract/flex/preview.ts'
import { bind } from '../http/binding.ts'
import { findFlexFlow, flexFlowsOf } from './flex-flow.ts'

const asPreview = (row: FlexFlowRow): PreviewFlexFlowRow => ({
  ...row,
  studio_flow_sid:
    row.integration_type === 'studio' ? (JSON.parse(row.integration) as StudioIntegration).flow_sid : null,
})

export const previewFlexFlow = bind(PreviewFlexFlow, {
  list: async (reader, { accountSid, page }) =>
    (await flexFlowsOf(reader, { accountSid }, page)).map(asPreview),
  fetch: async (reader, { accountSid, path }) => {
    const row = await findFlexFlow(reader, accountSid, path.sid)
    return row && asPreview(row)
  },
})

/** What happens to engagements: a customer's live conversation as Flex sees it. */
export interface FlexEvents {
  'engagement.started': { channelSid: string; flexFlowSid: string; taskSid: string | null }
  'engagement.ended': { channelSid: string; flexFlowSid: string }
}

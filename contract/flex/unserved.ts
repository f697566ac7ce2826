/** What Flex publishes and is not served here. */
import { unserved } from '../resource.ts'

const insights = unserved('flex', 'Flex Insights is a hosted analytics product; there is none here', [
  'GET /v1/Insights/QualityManagement/Assessments',
  'POST /v1/Insights/QualityManagement/Assessments',
  'POST /v1/Insights/QualityManagement/Assessments/{AssessmentSid}',
  'GET /v1/Insights/QualityManagement/Assessments/Comments',
  'POST /v1/Insights/QualityManagement/Assessments/Comments',
  'GET /v1/Insights/Conversations',
  'GET /v1/Insights/QualityManagement/Questionnaires',
  'POST /v1/Insights/QualityManagement/Questionnaires',
  'GET /v1/Insights/QualityManagement/Questionnaires/{QuestionnaireSid}',
  'POST /v1/Insights/QualityManagement/Questionnaires/{QuestionnaireSid}',
  'DELETE /v1/Insights/QualityManagement/Questionnaires/{QuestionnaireSid}',
  'GET /v1/Insights/QualityManagement/Categories',
  'POST /v1/Insights/QualityManagement/Categories',
  'POST /v1/Insights/QualityManagement/Categories/{CategorySid}',
  'DELETE /v1/Insights/QualityManagement/Categories/{CategorySid}',
  'GET /v1/Insights/QualityManagement/Questions',
  'POST /v1/Insights/QualityManagement/Questions',
  'POST /v1/Insights/QualityManagement/Questions/{QuestionSid}',
  'DELETE /v1/Insights/QualityManagement/Questions/{QuestionSid}',
  'GET /v1/Insights/Segments',
  'POST /v1/Insights/Session',
  'GET /v1/Insights/QualityManagement/Settings/AnswerSets',
  'GET /v1/Insights/QualityManagement/Settings/CommentTags',
  'GET /v1/Insights/UserRoles',
])

const interactions = unserved(
  'flex',
  'Interactions belong to Flex Conversations; the conversations here are those of Programmable Chat',
  [
    'GET /v1/Interactions/{Sid}',
    'POST /v1/Interactions/{Sid}',
    'POST /v1/Interactions',
    'GET /v1/Interactions/{InteractionSid}/Channels/{Sid}',
    'POST /v1/Interactions/{InteractionSid}/Channels/{Sid}',
    'GET /v1/Interactions/{InteractionSid}/Channels',
    'GET /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Invites',
    'POST /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Invites',
    'GET /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Participants',
    'POST /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Participants',
    'POST /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Participants/{Sid}',
    'POST /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Transfers',
    'GET /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Transfers/{Sid}',
    'POST /v1/Interactions/{InteractionSid}/Channels/{ChannelSid}/Transfers/{Sid}',
  ],
)

const plugins = unserved(
  'flex',
  'the plugin service deploys plugins to the hosted Flex desktop, which is not hosted here',
  [
    'GET /v1/PluginService/Configurations/{ConfigurationSid}/Plugins',
    'GET /v1/PluginService/Configurations/{ConfigurationSid}/Plugins/{PluginSid}',
    'GET /v1/PluginService/Plugins',
    'POST /v1/PluginService/Plugins',
    'GET /v1/PluginService/Plugins/{Sid}',
    'POST /v1/PluginService/Plugins/{Sid}',
    'POST /v1/PluginService/Plugins/{Sid}/Archive',
    'GET /v1/PluginService/Configurations',
    'POST /v1/PluginService/Configurations',
    'GET /v1/PluginService/Configurations/{Sid}',
    'POST /v1/PluginService/Configurations/{Sid}/Archive',
    'GET /v1/PluginService/Releases',
    'POST /v1/PluginService/Releases',
    'GET /v1/PluginService/Releases/{Sid}',
    'GET /v1/PluginService/Plugins/{PluginSid}/Versions',
    'POST /v1/PluginService/Plugins/{PluginSid}/Versions',
    'GET /v1/PluginService/Plugins/{PluginSid}/Versions/{Sid}',
    'POST /v1/PluginService/Plugins/{PluginSid}/Versions/{Sid}/Archive',
  ],
)

export const flexUnserved = [insights, interactions, plugins]

/** The configuration of an account's Flex: which chat service, workspace, workflow and queue it uses, and its desktop. */
import { choice, type Field, flag, instant, jsonObject, many, orNull, sid, text } from '../field.ts'
import { type RowOf, resource } from '../resource.ts'

const list = (): Field<readonly string[], string | null, false> => orNull({ ...many(text()), many: false })

const object = () => orNull(jsonObject())

/** What stands in the document; the rest of the answer is the account and its moments. */
export const configurationFields = {
  attributes: object(),
  status: choice(['ok', 'inprogress', 'notstarted']),
  taskrouter_workspace_sid: orNull(sid('WS')),
  taskrouter_target_workflow_sid: orNull(sid('WW')),
  taskrouter_target_taskqueue_sid: orNull(sid('WQ')),
  taskrouter_taskqueues: list(),
  taskrouter_skills: list(),
  taskrouter_worker_channels: object(),
  taskrouter_worker_attributes: object(),
  taskrouter_offline_activity_sid: orNull(sid('WA')),
  runtime_domain: orNull(text()),
  messaging_service_instance_sid: orNull(sid('MG')),
  chat_service_instance_sid: orNull(sid('IS')),
  flex_service_instance_sid: orNull(sid('IS')),
  flex_instance_sid: orNull(sid('GO')),
  ui_language: orNull(text()),
  ui_attributes: object(),
  ui_dependencies: object(),
  ui_version: orNull(text()),
  service_version: orNull(text()),
  call_recording_enabled: orNull(flag()),
  call_recording_webhook_url: orNull(text()),
  crm_enabled: orNull(flag()),
  crm_type: orNull(text()),
  crm_callback_url: orNull(text()),
  crm_fallback_url: orNull(text()),
  crm_attributes: object(),
  public_attributes: object(),
  plugin_service_enabled: orNull(flag()),
  plugin_service_attributes: object(),
  integrations: list(),
  outbound_call_flows: object(),
  serverless_service_sids: list(),
  queue_stats_configuration: object(),
  notifications: object(),
  markdown: object(),
  flex_insights_hr: object(),
  flex_insights_drilldown: orNull(flag()),
  flex_url: orNull(text()),
  channel_configs: list(),
  debugger_integration: object(),
  flex_ui_status_report: object(),
  agent_conv_end_methods: object(),
  citrix_voice_vdi: object(),
  offline_config: object(),
}

export const Configuration = resource({
  product: 'flex',
  name: 'flex.v1.configuration',
  one: '/v1/Configuration',
  answer: {
    account_sid: sid('AC'),
    date_created: instant(),
    date_updated: instant(),
    ...configurationFields,
    url: text(),
  },
  operations: {
    fetch: { form: { UiVersion: text({ max: 64 }) }, openTo: 'clients' },
    update: {
      reads: 'json',
      about: 'Members that are given replace those of the same name; the others stay.',
    },
  },
})

export type ConfigurationRow = RowOf<typeof Configuration>

/** What a desktop may read before anybody has signed in. */
export const PublicConfiguration = resource({
  product: 'flex',
  name: 'flex.v1.public_configuration',
  one: '/v1/Configuration/Public',
  answer: { configurations: list() },
  operations: { fetch: { form: { AccountSid: sid('AC') }, openTo: 'anyone' } },
})

export type PublicConfigurationRow = RowOf<typeof PublicConfiguration>

export const ProvisioningStatus = resource({
  product: 'flex',
  name: 'flex.v1.provisioning_status',
  one: '/v1/account/provision/status',
  answer: { status: choice(['active', 'in-progress', 'not-configured', 'failed']), url: text() },
  operations: { fetch: {} },
})

export type ProvisioningStatusRow = RowOf<typeof ProvisioningStatus>

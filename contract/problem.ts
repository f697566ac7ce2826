/**
 * Every error a client can meet: its Twilio code, its HTTP status and its sentence.
 *
 * Codes and meanings are those of Twilio's published error dictionary; the shape of the answer is
 * `{ code, message, more_info, status }`, as every published helper library reads it. Anything thrown that is
 * not a `Problem` is a bug of ours and answers 500 / 20500, unless the store says that it is away: 503 / 20503.
 */

const declared = {
  // Any product
  invalid_parameter: [400, 20001, 'Invalid parameter {parameter}: {reason}'],
  missing_parameter: [400, 20001, 'Missing required parameter {parameter}'],
  malformed_request: [400, 20001, 'The request could not be read: {reason}'],
  upload_stalled: [408, 20001, 'The upload stalled: next to nothing came for {seconds} seconds'],
  unauthenticated: [401, 20003, 'Authenticate'],
  method_not_allowed: [405, 20004, 'Method {method} is not allowed on {path}'],
  access_denied: [403, 20006, 'Access denied: {reason}'],
  page_without_token: [400, 40153, 'Page alone names no page of this list: follow next_page_url'],
  page_size_too_large: [400, 20007, 'Page size must be between 1 and {max}'],
  invalid_page_token: [400, 20001, 'Invalid parameter PageToken: it was not made by this list'],
  not_found: [404, 20404, 'The requested resource {path} was not found'],
  conflict: [409, 20409, '{reason}'],
  precondition_failed: [412, 20412, 'The resource has changed since the version named in If-Match'],
  body_too_large: [413, 20413, 'The request body is larger than {max} bytes'],
  unsupported_media_type: [415, 20001, 'Content type {type} is not read here; send {expected}'],
  too_many_requests: [429, 20429, 'Too many requests: {limit} a second are allowed'],
  too_many_uploads: [429, 20429, 'Too many uploads at once: {limit} are allowed'],
  internal: [500, 20500, 'An internal server error has occurred'],
  not_served: [501, 20501, 'Not served here: {reason}'],
  unavailable: [503, 20503, 'Service is unavailable: {reason}'],
  invalid_sid: [400, 20423, 'Invalid parameter {parameter}: {value} is not a SID beginning {prefix}'],

  // Access tokens
  token_invalid: [401, 20101, 'Invalid access token: {reason}'],
  token_header: [401, 20102, 'Invalid access token header: {reason}'],
  token_issuer: [401, 20103, 'Invalid access token issuer or subject: {reason}'],
  token_expired: [401, 20104, 'Access token expired {ago}: {reason}'],
  token_not_yet_valid: [401, 20105, 'Access token is not valid yet: {reason}'],
  token_grants: [401, 20106, 'Invalid access token grants: {reason}'],
  token_signature: [401, 20107, 'Invalid access token signature: {reason}'],
  token_lifetime: [401, 20157, 'Access token lives too long: {reason}'],

  // Chat: services
  friendly_name_missing: [400, 50000, 'FriendlyName is missing'],
  friendly_name_too_long: [400, 50003, 'FriendlyName is longer than {max} characters'],
  unique_name_too_long: [400, 50004, 'UniqueName is longer than {max} characters'],
  service_not_found: [403, 50050, 'Service instance not found'],
  consumption_interval: [400, 50052, 'ConsumptionReportInterval must be between {min} and {max} seconds'],
  typing_interval: [400, 50053, 'TypingIndicatorTimeout must be between {min} and {max} seconds'],
  webhook_method: [400, 50055, 'Webhook method must be GET or POST'],
  webhook_vetoed: [403, 50056, 'The action was refused by the pre-event webhook'],
  webhook_failed: [502, 50057, 'The pre-event webhook failed: {reason}'],
  template_too_long: [400, 50058, 'A notification template is longer than {max} characters'],
  sound_too_long: [400, 50059, 'A notification sound is longer than {max} characters'],
  members_limit_invalid: [400, 50060, 'Limits.ChannelMembers must be between 1 and {max}'],
  channels_limit_invalid: [400, 50061, 'Limits.UserChannels must be between 1 and {max}'],
  webhook_retry_count: [400, 50065, 'A webhook retry count must be between 0 and 3'],
  webhook_timed_out: [504, 50076, 'The pre-event webhook did not answer in time'],
  pre_webhook_url: [400, 50077, 'PreWebhookUrl is not an http or https URL'],
  post_webhook_url: [400, 50078, 'PostWebhookUrl is not an http or https URL'],
  pre_webhook_url_private: [400, 50077, 'PreWebhookUrl must not be called: {reason}'],
  post_webhook_url_private: [400, 50078, 'PostWebhookUrl must not be called: {reason}'],

  // Chat: roles
  channel_role_not_found: [400, 50101, 'Channel role not found'],
  service_role_not_found: [400, 50102, 'Service role not found'],
  permission_unknown: [400, 50104, 'Permission {permission} is unknown for a role of type {type}'],
  role_type: [400, 50105, 'Role is not of type {type}'],
  creator_role_not_found: [400, 50106, 'Channel creator role not found'],
  not_permitted: [403, 50107, 'User unauthorized for command'],

  // Chat: users
  user_exists: [409, 50201, 'User already exists'],
  identity_reserved: [400, 50203, 'Identity {identity} is reserved'],
  identity_missing: [400, 50204, 'Identity is missing'],
  identity_looks_like_sid: [400, 50206, 'Identity must not look like a User SID'],
  identity_too_long: [400, 50207, 'Identity is longer than {max} characters'],
  user_channels_limit: [403, 50208, 'User is already in the maximum of {max} channels'],
  notification_level: [400, 50210, 'NotificationLevel must be default or muted'],
  already_invited: [409, 50212, 'User is already invited to this channel'],

  // Chat: channels and their webhooks
  channel_not_found: [404, 50300, 'Channel not found'],
  attributes_too_long: [400, 50303, 'Attributes are longer than {max} bytes'],
  attributes_not_json: [400, 50304, 'Attributes are not valid JSON'],
  unique_name_looks_like_sid: [400, 50306, 'UniqueName must not look like a Channel SID'],
  unique_name_taken: [409, 50307, 'Channel with provided unique name already exists'],
  date_created: [400, 50308, 'DateCreated is not a valid date'],
  date_updated: [400, 50309, 'DateUpdated is not a valid date'],
  author_too_long: [400, 50310, 'CreatedBy or From is longer than {max} characters'],
  too_many_webhooks: [400, 50321, 'A channel can have {max} webhooks at the most'],
  too_many_triggers: [400, 50322, 'A webhook can have {max} triggers at the most'],
  webhook_type: [400, 50324, 'Webhook type must be webhook, trigger or studio'],
  webhook_filter: [400, 50325, 'Webhook filter {filter} is not a channel event'],
  webhook_trigger: [400, 50326, 'A webhook trigger must be a non-empty string of at most {max} characters'],
  webhook_flow_sid: [400, 50327, 'Configuration.FlowSid is missing or not a Flow SID'],
  webhook_type_missing: [400, 50328, 'Type is missing'],
  webhook_url_missing: [400, 50329, 'Configuration.Url is missing or not an http or https URL'],
  webhook_filters_missing: [400, 50330, 'Configuration.Filters are missing'],
  webhook_triggers_missing: [400, 50331, 'Configuration.Triggers are missing'],
  webhook_url_private: [400, 50329, 'Configuration.Url must not be called: {reason}'],
  webhook_url_too_long: [400, 50332, 'Configuration.Url is longer than {max} characters'],

  // Chat: members, messages, invites
  not_a_member: [403, 50400, 'User is not a member of this channel'],
  member_not_found: [404, 50402, 'Member not found'],
  members_limit: [403, 50403, 'Channel already has the maximum of {max} members'],
  member_exists: [409, 50404, 'Member already exists'],
  consumed_index: [400, 50405, 'LastConsumedMessageIndex is not an index of this channel'],
  consumed_at: [400, 50406, 'LastConsumptionTimestamp is not a valid date'],
  body_missing: [400, 50503, 'Body is missing'],
  body_too_long: [400, 50504, 'Body is longer than {max} bytes'],
  updated_by_too_long: [400, 50505, 'LastUpdatedBy is longer than {max} characters'],
  media_not_found: [400, 50507, 'Media not found'],
  message_page_token: [400, 19038, 'PageToken of a message list must be a whole number, zero or more'],

  // The chat socket's Sync
  sync_forbidden: [403, 54007, 'Access forbidden for identity'],
  sync_not_found: [404, 54100, 'Not found'],

  // Flex
  flex_invalid: [400, 45004, '{reason}'],
  integration_url_private: [400, 45004, 'Integration.Url must not be called: {reason}'],
  flex_exists: [409, 45202, 'The Flex resource already exists'],
  flex_flow_not_found: [404, 45205, 'Flex Flow {sid} was not found'],
  flex_already_member: [409, 45206, '{identity} is already a member of the channel'],
  flex_user_channels: [403, 45207, 'User {identity} is in too many channels'],
  flex_active_channel: [409, 45208, 'An active channel with the unique name {uniqueName} already exists'],
  flex_flow_conflict: [
    409,
    45210,
    'An enabled Flex Flow for channel type {channelType} and contact identity {contactIdentity} already exists: {sid}',
  ],
  flex_identity_reserved: [400, 45211, 'Identity {identity} is reserved'],

  // TaskRouter
  expression_invalid: [400, 20001, 'Invalid parameter {parameter}: {reason}'],
  workflow_invalid: [400, 20001, 'Invalid parameter Configuration: {reason}'],
  friendly_name_taken: [409, 20409, '{resource} with FriendlyName {name} already exists'],
  in_use: [409, 20409, '{what} is in use: {by}'],
  illegal_move: [400, 20001, 'Invalid parameter {parameter}: a {resource} that is {from} cannot become {to}'],
  transfer_refused: [400, 20001, 'The task cannot be transferred: {reason}'],
  // To the letter: those who cancel a transfer twice look for this sentence.
  transfer_over: [400, 20001, 'Transfer {sid} is already {status} . Cannot cancel transfer.'],
  reason_missing: [400, 20001, 'Missing required parameter Reason'],
} as const satisfies Record<string, readonly [status: number, code: number, sentence: string]>

export type ProblemName = keyof typeof declared

/** What fills the `{holes}` of a problem's sentence. */
export type ProblemDetails = Record<string, string | number | undefined>

/** A refusal in Twilio's vocabulary. Thrown anywhere, answered at the door. */
export class Problem extends Error {
  readonly problem: ProblemName
  readonly status: number
  readonly code: number
  readonly retryAfterSeconds: number | undefined

  constructor(name: ProblemName, details: ProblemDetails = {}) {
    const [status, code, sentence] = declared[name]
    super(sentence.replace(/\{(\w+)\}/g, (_, hole: string) => String(details[hole] ?? '')).trim())
    this.name = 'Problem'
    this.problem = name
    this.status = status
    this.code = code
    this.retryAfterSeconds =
      typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds : undefined
  }
}

/** `throw problem('member_exists')`: the only way to refuse a request. */
export const problem = (name: ProblemName, details?: ProblemDetails): Problem => new Problem(name, details)

export const isProblemName = (text: string): text is ProblemName => Object.hasOwn(declared, text)

/** The body of an error answer. Never carries `type` and `title`: some clients would read it as RFC 9457. */
export const problemBody = (it: Problem) => ({
  code: it.code,
  message: it.message,
  more_info: `https://www.twilio.com/docs/errors/${it.code}`,
  status: it.status,
})

/** What Studio publishes. None of it is served. */
import { unserved } from '../resource.ts'

export const studioUnserved = [
  unserved('studio', 'Studio flows are neither kept nor run here', [
    'GET /v2/Flows/{FlowSid}/Executions',
    'POST /v2/Flows/{FlowSid}/Executions',
    'GET /v2/Flows/{FlowSid}/Executions/{Sid}',
    'POST /v2/Flows/{FlowSid}/Executions/{Sid}',
    'DELETE /v2/Flows/{FlowSid}/Executions/{Sid}',
    'GET /v2/Flows/{FlowSid}/Executions/{ExecutionSid}/Context',
    'GET /v2/Flows/{FlowSid}/Executions/{ExecutionSid}/Steps',
    'GET /v2/Flows/{FlowSid}/Executions/{ExecutionSid}/Steps/{Sid}',
    'GET /v2/Flows/{FlowSid}/Executions/{ExecutionSid}/Steps/{StepSid}/Context',
    'GET /v2/Flows',
    'POST /v2/Flows',
    'GET /v2/Flows/{Sid}',
    'POST /v2/Flows/{Sid}',
    'DELETE /v2/Flows/{Sid}',
    'GET /v2/Flows/{Sid}/Revisions',
    'GET /v2/Flows/{Sid}/Revisions/{Revision}',
    'POST /v2/Flows/Validate',
    'GET /v2/Flows/{Sid}/TestUsers',
    'POST /v2/Flows/{Sid}/TestUsers',
  ]),
]

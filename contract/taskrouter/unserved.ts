/** What is published for TaskRouter and not served here. */
import { unserved } from '../resource.ts'

const W = '/v1/Workspaces/{WorkspaceSid}'

export const TaskRouterUnserved = [
  unserved('taskrouter', 'statistics are not kept', [
    `GET ${W}/Statistics`,
    `GET ${W}/RealTimeStatistics`,
    `GET ${W}/CumulativeStatistics`,
    `GET ${W}/TaskQueues/Statistics`,
    `POST ${W}/TaskQueues/RealTimeStatistics`,
    `GET ${W}/TaskQueues/{TaskQueueSid}/Statistics`,
    `GET ${W}/TaskQueues/{TaskQueueSid}/RealTimeStatistics`,
    `GET ${W}/TaskQueues/{TaskQueueSid}/CumulativeStatistics`,
    `GET ${W}/Workers/Statistics`,
    `GET ${W}/Workers/RealTimeStatistics`,
    `GET ${W}/Workers/CumulativeStatistics`,
    `GET ${W}/Workers/{WorkerSid}/Statistics`,
    `GET ${W}/Workflows/{WorkflowSid}/Statistics`,
    `GET ${W}/Workflows/{WorkflowSid}/RealTimeStatistics`,
    `GET ${W}/Workflows/{WorkflowSid}/CumulativeStatistics`,
  ]),
] as const

import { Command } from 'commander'
import { type Asking, ask } from './ask.ts'

export const workerCommands = (asking: () => Asking): Command => {
  const command = new Command('worker').description('agents')
  command
    .command('add <identity>')
    .description('makes a worker in the Flex workspace; the name is the identity the agent chats as')
    .option('--attributes <json>', 'what queues select by', '{}')
    .action(async (identity: string, { attributes }: { attributes: string }) => {
      const who = asking()
      const { taskrouter_workspace_sid: workspace } = await ask(who, 'GET', '/v1/Configuration')
      const worker = await ask(who, 'POST', `/v1/Workspaces/${workspace}/Workers`, {
        FriendlyName: identity,
        Attributes: attributes,
      })
      console.log(`${worker.sid}  ${worker.friendly_name}  ${worker.activity_name}`)
    })
  return command
}

import { Command } from 'commander'
import { type Asking, ask, table } from './ask.ts'

export const accountCommands = (asking: () => Asking): Command => {
  const command = new Command('account').description('accounts: each sees only its own')
  command
    .command('create <name>')
    .description('makes an account with a new Flex project; its secrets are shown this once')
    .action(async (name: string) => {
      const who = asking()
      const account = await ask(who, 'POST', '/v1/Parley/Accounts', { FriendlyName: name })
      const key = await ask(who, 'POST', `/v1/Parley/Accounts/${account.sid}/Keys`, { FriendlyName: name })
      console.log(`Account SID      ${account.sid}`)
      console.log(`Auth token       ${account.auth_token}`)
      console.log(`API key SID      ${key.sid}`)
      console.log(`API key secret   ${key.secret}`)
    })
  command
    .command('list')
    .description('the account that asks, and those it made')
    .action(async () => {
      const { accounts } = await ask(asking(), 'GET', '/v1/Parley/Accounts?PageSize=1000')
      console.log(
        table(accounts as Record<string, unknown>[], ['sid', 'friendly_name', 'status', 'date_created']),
      )
    })
  for (const [name, status] of [
    ['suspend', 'suspended'],
    ['revive', 'active'],
  ] as const)
    command
      .command(`${name} <sid>`)
      .description(status === 'active' ? 'lets it ask again' : 'from then on nothing it asks is answered')
      .action(async (sid: string) => {
        const account = await ask(asking(), 'POST', `/v1/Parley/Accounts/${sid}`, { Status: status })
        console.log(`${account.sid} is ${account.status}`)
      })
  return command
}

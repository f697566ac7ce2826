#!/usr/bin/env node
/** `parley`: what an admin does from a terminal, over the same API as everybody. */
import { Command, Option } from 'commander'
import { accountCommands } from './account.ts'
import { type Asking, Refused } from './ask.ts'
import { tokenCommands } from './token.ts'
import { workerCommands } from './worker.ts'

const program = new Command('parley')
  .description('Administers a Parley server. Credentials come from options or the environment.')
  .addOption(
    new Option('--url <address>', 'where Parley is')
      .env('PARLEY_PUBLIC_URL')
      .default('http://127.0.0.1:8080'),
  )
  .addOption(new Option('--account-sid <AC…>', 'the account that asks').env('PARLEY_ACCOUNT_SID'))
  .addOption(new Option('--auth-token <token>', 'its auth token').env('PARLEY_AUTH_TOKEN'))

const asking = (): Asking => {
  const { url, accountSid, authToken } = program.opts()
  if (!accountSid || !authToken)
    program.error(
      'Say who asks: --account-sid and --auth-token, or PARLEY_ACCOUNT_SID and PARLEY_AUTH_TOKEN. `npm start` prints both.',
    )
  return { url: url.replace(/\/+$/, ''), accountSid, authToken }
}

program.addCommand(accountCommands(asking))
program.addCommand(workerCommands(asking))
program.addCommand(tokenCommands(asking))

try {
  await program.parseAsync()
} catch (fault) {
  if (!(fault instanceof Refused)) throw fault
  console.error(fault.message)
  process.exitCode = 1
}

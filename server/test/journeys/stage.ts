/** Parley and the custom chat as two programs, a browser for the visitors, and the published client for the agents. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import twilio from 'twilio'
import { sparePort } from '../world/spare-port.ts'
import { type Program, start, until } from './program.ts'

/**
 * How long what must happen on a page may take, in milliseconds: the published clients wait half a minute and more between
 * two attempts to connect.
 */
export const SHOWN_WITHIN_MS = 120_000

export interface Task {
  readonly sid: string
  readonly channelSid: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly taskChannelUniqueName: string
}

export interface Agent {
  readonly name: string
  /** Posts as the agent's own client does: with an access token of theirs. */
  say(body: string): Promise<void>
  complete(): Promise<void>
}

export interface Stage {
  /** Where the custom chat is served. */
  readonly chat: string
  /** The tasks that were made for what the page's visitor said, the oldest first. */
  tasksOf(page: Page): Promise<Task[]>
  /** A page of the custom chat, in a browser context of its own. */
  visit(name: string): Promise<Page>
  /** Ends the program of the custom chat, and starts another. */
  restartChat(meanwhile?: () => Promise<void>): Promise<void>
  /** A worker who is available. */
  hire(name: string): Promise<void>
  /** Whoever was offered the task takes it. */
  accept(task: Task): Promise<Agent>
  /** What a visitor's page says, and waits until it is sent. */
  say(page: Page, body: string): Promise<void>
  /** The agent's side of the example, in a terminal. */
  openTerminal(): Program
  [Symbol.asyncDispose](): Promise<void>
}

/** Random. */
export const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

/** @param args of the command line, beside those that a test's browser always has */
export const openBrowser = (args: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.PARLEY_CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })

export const openStage = async (): Promise<Stage> => {
  const open = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'parley-journey-'))
    open.defer(() => rm(folder, { recursive: true, force: true }))

    const [sid, authToken, keySid, secret] = [`AC${hex(16)}`, hex(16), `SK${hex(16)}`, hex(16)]
    const parley = `http://127.0.0.1:${await sparePort()}`
    const server = open.use(
      start('server/src/main.js', {
        PORT: new URL(parley).port,
        PARLEY_DATA: folder,
        PARLEY_ACCOUNT_SID: sid,
        PARLEY_AUTH_TOKEN: authToken,
        PARLEY_API_KEY_SID: keySid,
        PARLEY_API_KEY_SECRET: secret,
        PARLEY_LOG: 'error',
      }),
    )
    await server.answers(`${parley}/readyz`)

    const chat = `http://127.0.0.1:${await sparePort()}`
    const env = {
      TWILIO_ACCOUNT_SID: sid,
      TWILIO_AUTH_TOKEN: authToken,
      TWILIO_API_KEY: keySid,
      TWILIO_API_SECRET: secret,
      TWILIO_API_URL: parley,
    }
    const openChat = async (): Promise<Program> => {
      const program = open.use(
        start('examples/socketio-chat/server.ts', { ...env, PORT: new URL(chat).port }),
      )
      await program.answers(chat)
      return program
    }
    let example = await openChat()

    const browser = open.adopt(await openBrowser(), (it) => it.close())
    const client = twilio(sid, authToken)
    client.flexApi.baseUrl = client.chat.baseUrl = client.taskrouter.baseUrl = parley
    const configuration = await client.flexApi.v1.configuration().fetch()
    const workspace = client.taskrouter.v1.workspaces(configuration.taskrouterWorkspaceSid)

    const asAgent = (identity: string): twilio.Twilio => {
      const token = new twilio.jwt.AccessToken(sid, keySid, secret, { identity })
      const serviceSid = configuration.chatServiceInstanceSid
      token.addGrant(new twilio.jwt.AccessToken.ChatGrant({ serviceSid }))
      const own = twilio('token', token.toJwt(), { accountSid: sid })
      own.chat.baseUrl = parley
      return own
    }

    return {
      chat,
      tasksOf: async (page) => {
        const visitor = await page.evaluate(() => sessionStorage.getItem('visitor'))
        return (await workspace.tasks.list())
          .map((it) => ({ ...it, attributes: JSON.parse(it.attributes) }))
          .filter(({ attributes }) => attributes.name === visitor)
          .sort((a, b) => a.dateCreated.getTime() - b.dateCreated.getTime() || (a.sid < b.sid ? -1 : 1))
          .map(({ sid, attributes, taskChannelUniqueName }) => ({
            sid,
            channelSid: attributes.channelSid,
            attributes,
            taskChannelUniqueName,
          }))
      },
      visit: async (name) => {
        const context = await browser.newContext({
          viewport: { width: 880, height: 760 },
          deviceScaleFactor: 2,
        })
        context.setDefaultTimeout(SHOWN_WITHIN_MS)
        const page = await context.newPage()
        await page.goto(chat)
        await page.getByLabel('Your name').fill(name)
        await page.getByRole('button', { name: 'Start the chat' }).click()
        await page.getByText('We are here for you').waitFor()
        return page
      },
      restartChat: async (meanwhile) => {
        await example[Symbol.asyncDispose]()
        await meanwhile?.()
        example = await openChat()
      },
      hire: async (friendlyName) => {
        const [available] = await workspace.activities.list({ friendlyName: 'Available' })
        await workspace.workers.create({ friendlyName, activitySid: available?.sid ?? '' })
      },
      accept: async (task) => {
        const { reservations } = workspace.tasks(task.sid)
        const { sid, workerName } = await until('the task is offered to somebody', async () =>
          (await reservations.list()).find((it) => it.reservationStatus === 'pending'),
        )
        await reservations(sid).update({ reservationStatus: 'accepted' })
        const { messages } = asAgent(workerName)
          .chat.v2.services(configuration.chatServiceInstanceSid)
          .channels(task.channelSid)
        return {
          name: workerName,
          say: async (body) => void (await messages.create({ body })),
          complete: async () =>
            void (await workspace
              .tasks(task.sid)
              .update({ assignmentStatus: 'completed', reason: 'Answered' })),
        }
      },
      say: async (page, body) => {
        await page.getByLabel('Your message').fill(body)
        await page.getByRole('button', { name: 'Send' }).click()
        await page.locator('.own[id]', { hasText: body }).waitFor()
      },
      openTerminal: () => start('examples/socketio-chat/agent.ts', env),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    }
  } catch (fault) {
    // What went wrong first is what is told.
    await open.disposeAsync().catch(() => undefined)
    throw fault
  }
}

/** The messages and notices of a page from the first to the last, each on one line. */
export const readPage = async (page: Page): Promise<string[]> =>
  (await page.locator('#messages li').allInnerTexts()).map((it) => it.replace(/\s*\n\s*/g, ': '))

/** A picture of the page, where PARLEY_SCREENSHOTS names a folder for it. */
export const picture = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.PARLEY_SCREENSHOTS
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
}

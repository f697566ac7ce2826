/**
 * The least program that does what the chat socket does with messages: takes one in, commits two rows durably in a
 * group (the channel's index, the message), answers, and tells whoever follows; and gives those who come back what
 * they missed. It begins with as many messages in each channel as it is told to.
 */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openDoor, type Row } from './door.ts'
import { grouped } from './group.ts'

const [folder = '.', channels = '1', messagesEach = '0', body = '', secret = ''] = process.argv.slice(2)

const db = new DatabaseSync(join(folder, 'ceiling.db'))
db.exec('pragma journal_mode = wal; pragma synchronous = full')
db.exec(`create table channels (sid text primary key, last_index integer not null);
  create table messages (channel_sid text, idx integer, sid text unique, author text, body text, attributes text,
    date_created integer, primary key (channel_sid, idx))`)

const addMessage = db.prepare('insert into messages values (?, ?, ?, ?, ?, ?, ?)')
const next = db.prepare('update channels set last_index = last_index + 1 where sid = ? returning last_index')
const missed = db.prepare('select * from messages where channel_sid = ? and idx >= ? order by idx')

let count = 0
const newSid = (): string =>
  `IM${Date.now().toString(16).padStart(12, '0')}${(count++).toString(16).padStart(20, '0')}`

const fill = (): void => {
  const addChannel = db.prepare('insert into channels values (?, ?)')
  db.exec('begin')
  for (let at = 0; at < Number(channels); at += 1) {
    const channelSid = `CH${String(at).padStart(32, '0')}`
    addChannel.run(channelSid, Number(messagesEach) - 1)
    for (let index = 0; index < Number(messagesEach); index += 1)
      addMessage.run(channelSid, index, newSid(), 'system', body, '{}', Date.now())
  }
  db.exec('commit')
}
fill()

const transact = grouped(db)
const server = createServer()
const door = openDoor({
  server,
  secret,
  send: async (channelSid, author, text) => {
    const row = await transact((): Row => {
      const { last_index: index } = next.get(channelSid) as { last_index: number }
      const row = { channelSid, sid: newSid(), index, author, body: text, at: Date.now() }
      addMessage.run(channelSid, index, row.sid, author, text, '{}', row.at)
      return row
    })
    door.tell(row)
    return row
  },
  since: (channelSid, lastEvent) =>
    missed.all(channelSid, lastEvent).map((it) => ({
      channelSid,
      sid: String(it.sid),
      index: Number(it.idx),
      author: String(it.author),
      body: String(it.body),
      at: Number(it.date_created),
    })),
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(`listening http://127.0.0.1:${(server.address() as { port: number }).port}`)
})

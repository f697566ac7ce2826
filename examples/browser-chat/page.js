/** The page: shows what the chat tells, and gives it what the visitor says. */
import { openChat } from './chat.js'

const $ = (id) => document.getElementById(id)

/** What a picture may have, in bytes, before the page refuses it by itself. */
const PICTURE_BYTES_MAX = 10 * 1024 * 1024

// The tab's own memory, so that a reload asks for no name. Who the visitor is, a cookie says.
const kept = sessionStorage

let chat
let isConnected = true
let agent
/** The index up to which the agent has read, by channel. */
const readUpTo = new Map()

const tell = {
  connection: (isUp) => {
    isConnected = isUp
    showState()
  },
  present: (name) => {
    agent = name
    showState()
  },
  joined: (name) => {
    tell.present(name)
    notice(`${name} has joined the chat`)
  },
  left: () => {
    agent = undefined
    tell.typing()
    showState()
  },
  typing: (name, stillTyping = () => false) => {
    $('typing').hidden = !stillTyping()
    $('typing').textContent = stillTyping() ? `${name} is writing` : ''
    toEnd()
  },
  read: (channel, index) => {
    readUpTo.set(channel, index)
    markRead()
  },
  message: show,
  ended: () => {
    notice('The chat has ended. Write again to start a new one.')
  },
}

$('start').addEventListener('submit', (event) => {
  event.preventDefault()
  kept.name = $('name').value.trim() || 'Visitor'
  void open()
})

$('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  const body = $('body').value.trim()
  if (body) send(body, [body])
  $('body').value = ''
  $('body').focus()
})

$('body').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  $('composer').requestSubmit()
})

$('body').addEventListener('input', () => $('body').value && chat?.typing())

$('attach').addEventListener('click', () => $('picture').click())

$('picture').addEventListener('change', () => {
  const [file] = $('picture').files
  $('picture').value = ''
  if (!file) return
  if (file.size > PICTURE_BYTES_MAX) return notice('A picture may have 10 MB at the most.')
  const form = new FormData()
  form.append('picture', file)
  const preview = URL.createObjectURL(file)
  send(form, [picture(preview, file.name, () => URL.revokeObjectURL(preview))])
})

document.addEventListener('visibilitychange', haveRead)

if (kept.name) void open()

async function open() {
  $('start').hidden = true
  $('log').hidden = $('composer').hidden = false
  $('state').textContent = 'Connecting…'
  $('body').focus()
  try {
    chat = await openChat(kept.name, tell)
    showState()
    haveRead()
  } catch {
    $('state').textContent = 'We cannot be reached just now. Trying again…'
    setTimeout(open, 3_000)
  }
}

function showState() {
  if (!isConnected) $('state').textContent = 'Connecting again…'
  else if (agent) $('state').textContent = `${agent} is here for you`
  else if (chat) $('state').textContent = 'We are here for you'
}

/** What the visitor says is on the page at once, and its bubble is taken away when it comes back as a message. */
function send(content, parts) {
  const id = crypto.randomUUID()
  const item = bubble('own', 'You', parts)
  item.classList.add('sending')
  item.dataset.outboxId = id
  $('messages').append(item)
  toEnd()
  const refused = ({ message }) => {
    item.classList.replace('sending', 'unsent')
    const why = document.createElement('small')
    why.textContent = `Not sent: ${message}`
    item.append(why)
  }
  const whenOpen = () => (chat ? chat.send(content, { id, refused }) : setTimeout(whenOpen, 200))
  whenOpen()
}

async function show(message) {
  if ($(message.sid)) return
  const isOwn = message.from === undefined
  const parts = []
  if (message.media) parts.push(await shownFile(message.media))
  if (message.body) parts.push(message.body)
  // While its file was asked for, the same message may have come another way.
  if ($(message.sid)) return
  const item = bubble(isOwn ? 'own' : 'agent', message.from ?? 'You', parts)
  item.id = message.sid
  item.dataset.channel = message.channel
  item.dataset.index = message.index
  if (message.outboxId) document.querySelector(`[data-outbox-id="${CSS.escape(message.outboxId)}"]`)?.remove()
  place(item)
  if (isOwn) markRead()
  else {
    tell.typing()
    haveRead()
  }
}

/** In its place by the channel's own count, whatever the order of arrival. */
function place(item) {
  const { channel, index } = item.dataset
  const ours = [...$('messages').children].filter((other) => other.dataset.channel === channel)
  const before = ours.findLast((other) => Number(other.dataset.index) < Number(index))
  const after = ours.find((other) => Number(other.dataset.index) > Number(index))
  // Notices and what is being sent stand between messages; only a message that came late goes before them.
  if (before && after) before.after(item)
  else if (after) after.before(item)
  else $('messages').insertBefore(item, document.querySelector('.sending'))
  toEnd()
}

// What others write is text, never markup.
function bubble(kind, who, parts) {
  const item = document.createElement('li')
  item.className = kind
  const label = document.createElement('span')
  label.className = 'who'
  label.textContent = who
  item.append(label, ...parts)
  return item
}

/** A link to a file is good for minutes: whoever wants it later asks for another. */
async function shownFile(media) {
  const name = media.filename || 'a file'
  if (media.contentType.startsWith('image/')) return picture(await media.getContentTemporaryUrl(), name)
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'file'
  button.textContent = `Download ${name}`
  button.addEventListener('click', async () => location.assign(await media.getContentTemporaryUrl()))
  return button
}

function picture(url, name, loaded) {
  const image = document.createElement('img')
  image.alt = name
  image.addEventListener('load', () => {
    loaded?.()
    toEnd()
  })
  image.src = url
  return image
}

/** One mark in each conversation, at the last of the visitor's messages that the agent has read. */
function markRead() {
  for (const mark of document.querySelectorAll('.seen')) mark.remove()
  for (const [channel, index] of readUpTo) {
    const last = [...$('messages').querySelectorAll('.own[data-index]')].findLast(
      (it) => it.dataset.channel === channel && Number(it.dataset.index) <= index,
    )
    if (!last) continue
    const mark = document.createElement('small')
    mark.className = 'seen'
    mark.textContent = 'Seen'
    last.append(mark)
  }
  toEnd()
}

function haveRead() {
  if (document.visibilityState === 'visible') chat?.read()
}

function notice(text) {
  const item = document.createElement('li')
  item.className = 'notice'
  item.textContent = text
  $('messages').append(item)
  toEnd()
}

function toEnd() {
  $('log').scrollTop = $('log').scrollHeight
}

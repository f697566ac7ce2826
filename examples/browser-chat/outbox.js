/**
 * What the visitor says leaves in order, and once. The SDK gives up what was on its way when the connection broke, and
 * cannot know whether it arrived. So each message carries an id of ours among its attributes, and what may have arrived
 * is looked for before it is said again.
 */
const AGAIN_AFTER_MS = 1_000
const MESSAGES_A_PAGE = 30

/**
 * @param channelOf the channel in which the next message belongs
 * @param found what had arrived: the SDK tells no more of a message that somebody has asked for
 */
export const openOutbox = (channelOf, found) => {
  const letters = []
  let isBusy = false

  const add = (content, letter) => {
    letters.push({ ...letter, content })
    void deliver()
  }

  const deliver = async () => {
    if (isBusy) return
    isBusy = true
    for (let letter = letters[0]; letter; letter = letters[0]) {
      try {
        await deliverOne(letter)
        letters.shift()
      } catch (fault) {
        if (isRefusal(fault)) letters.shift().refused(fault)
        else await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
      }
    }
    isBusy = false
  }

  const deliverOne = async (letter) => {
    const there = letter.channel && (await find(letter))
    if (there) return void found(there)
    // What was begun is gone on with where it was begun, even if that conversation has ended meanwhile.
    letter.channel ??= await channelOf()
    letter.after ??= letter.channel.lastMessage?.index ?? -1
    await letter.channel.sendMessage(letter.content, { id: letter.id })
  }

  const find = async ({ channel, after, id }) => {
    for (let page = await channel.getMessages(MESSAGES_A_PAGE); ; page = await page.prevPage()) {
      const message = page.items.find((it) => it.attributes.id === id)
      if (message || !page.hasPrevPage || page.items[0].index <= after) return message
    }
  }

  return { add }
}

/** An answer of Parley's that will be the same the next time, and not the silence of a connection that broke. */
const isRefusal = ({ status }) => status >= 400 && status < 500 && status !== 429

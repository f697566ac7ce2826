/** What can be followed, and what followers are told, rule by rule, in raw frames. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Engine, openWorld, type World } from '../world/index.ts'
import { type Stage, setStage } from './followers.ts'

for (const engine of ['memory', 'postgres'] as const satisfies readonly Engine[])
  describe(`what is followed, on ${engine}`, () => {
    let world: World
    let stage: Stage
    before(async () => {
      world = await openWorld({ live: true, engine })
      stage = await setStage(world)
    })
    after(() => world[Symbol.asyncDispose]())
    const enter: Stage['enter'] = (identity) => stage.enter(identity)

    const channelWith = async (
      identities: readonly string[],
      more: { type?: 'public' | 'private'; messages?: number } = {},
    ): Promise<string> => {
      const { sid } = await stage.service.channels.create({
        type: more.type ?? 'public',
        friendlyName: 'Room',
      })
      for (const identity of identities) await stage.service.channels(sid).members.create({ identity })
      for (let at = 0; at < (more.messages ?? 0); at += 1)
        await stage.service.channels(sid).messages.create({ body: `${at}`, from: 'ana' })
      return sid
    }

    const userSid = async (identity: string): Promise<string> =>
      (await stage.service.users(identity).fetch()).sid

    test('[CS100] each is found by name and by SID, with the service or without', async () => {
      const channel = await channelWith(['vera'])
      await using vera = await enter('vera')
      const user = await userSid('vera')
      for (const [folder, name, prefix] of [
        ['Documents', `${channel}.channel`, 'ET'],
        ['Lists', `${channel}.messages`, 'ES'],
        ['Maps', `${channel}.roster`, 'MP'],
        ['Maps', `${user}.my_channels`, 'MP'],
        ['Maps', `${user}.info`, 'MP'],
      ] as const) {
        const { status, body } = await vera.get(`/v3/${folder}/${name}`)
        assert.equal(status, 200)
        assert.equal(body.unique_name, name)
        assert.match(body.sid, new RegExp(`^${prefix}[0-9a-f]{32}$`))
        for (const path of [
          `/v3/${folder}/${body.sid}`,
          `/v3/Services/${stage.serviceSid}/${folder}/${body.sid}`,
        ])
          assert.deepEqual((await vera.get(path)).body, body)
      }
    })

    test('[CS101] a root has its number and its data or the address of its items', async () => {
      const channel = await channelWith(['vera'], { messages: 2 })
      await using vera = await enter('vera')
      const document = (await vera.root(`${channel}.channel`)).body
      assert.equal(document.last_event_id, 2)
      assert.equal(document.data.sid, channel)
      assert.deepEqual(document.data.lastMessage.index, 1)
      const list = (await vera.root(`${channel}.messages`)).body
      assert.equal(list.last_event_id, 2)
      assert.match(list.links.items, new RegExp(`/Lists/${list.sid}/Items$`))
      const map = await vera.get(`/v3/Maps/${await userSid('vera')}.info`, { Include: 'items' })
      assert.deepEqual(
        map.body.items.map((it: { key: string }) => it.key),
        ['attributes', 'friendlyName', 'reachability'],
      )
    })

    const indices = (body: { items: readonly { index: number }[] }) => body.items.map((it) => it.index)

    test('[CS102] a page of items, either way, and whether there is more', async () => {
      const channel = await channelWith(['vera'], { messages: 12 })
      await using vera = await enter('vera')
      const items = `/v3/Lists/${channel}.messages/Items`
      const first = (await vera.get(items, { Order: 'asc', PageSize: '5' })).body
      assert.deepEqual(indices(first), [0, 1, 2, 3, 4])
      assert.ok(first.meta.next_token)
      assert.equal(first.meta.previous_token, null)
      const middle = (await vera.get(items, { From: '7', Order: 'desc', PageSize: '4' })).body
      assert.deepEqual(indices(middle), [7, 6, 5, 4])
      assert.ok(middle.meta.next_token)
      assert.ok(middle.meta.previous_token)
      const last = (await vera.get(items, { From: '9', PageSize: '500' })).body
      assert.deepEqual(indices(last), [9, 10, 11])
      assert.equal(last.meta.next_token, null)
      assert.equal((await vera.get(items, { From: 'x' })).status, 400)
    })

    test('[CS103] one item, or an empty page', async () => {
      const channel = await channelWith(['vera'], { messages: 1 })
      await using vera = await enter('vera')
      const items = `/v3/Lists/${channel}.messages/Items`
      assert.deepEqual(indices((await vera.get(items, { Index: '0' })).body), [0])
      const none = await vera.get(items, { Index: '7' })
      assert.deepEqual([none.status, none.body.items], [200, []])
      const info = `/v3/Maps/${await userSid('vera')}.info/Items`
      assert.equal((await vera.get(info, { Key: 'friendlyName' })).body.items[0].key, 'friendlyName')
      assert.deepEqual((await vera.get(info, { Key: 'shoeSize' })).body.items, [])
    })

    test('[CS104] a token brings its page by itself', async () => {
      const channel = await channelWith(['vera', 'ana', 'ben', 'sol'], { messages: 7 })
      await using vera = await enter('vera')
      const items = `/v3/Lists/${channel}.messages/Items`
      const first = (await vera.get(items, { Order: 'desc', PageSize: '3' })).body
      assert.deepEqual(indices(first), [6, 5, 4])
      const second = (await vera.get(items, { PageToken: first.meta.next_token })).body
      assert.deepEqual(indices(second), [3, 2, 1])
      const back = (await vera.get(items, { PageToken: second.meta.previous_token })).body
      assert.deepEqual(indices(back), [4, 5, 6])
      const roster = `/v3/Maps/${channel}.roster/Items`
      const keys = (body: { items: readonly { key: string }[] }) => body.items.map((it) => it.key)
      const all = keys((await vera.get(roster)).body)
      assert.equal(all.length, 4)
      const page = (await vera.get(roster, { PageSize: '2' })).body
      const next = (await vera.get(roster, { PageToken: page.meta.next_token })).body
      assert.deepEqual([...keys(page), ...keys(next)], all)
      assert.equal(next.meta.next_token, null)
      const before = (await vera.get(roster, { PageToken: next.meta.previous_token })).body
      assert.deepEqual(keys(before), all.slice(0, 2).toReversed())
      assert.equal((await vera.get(roster, { PageToken: 'nonsense' })).status, 400)
    })

    test('[CS105] messages and roster are for members, the document for whoever sees the channel', async () => {
      const open = await channelWith(['ana'], { messages: 1 })
      const closed = await channelWith(['ana'], { type: 'private', messages: 1 })
      await using vera = await enter('vera')
      assert.equal((await vera.root(`${open}.channel`)).status, 200)
      for (const name of [`${open}.messages`, `${open}.roster`]) {
        const { status, body } = await vera.root(name)
        assert.deepEqual([status, body.code], [403, 54007])
      }
      const items = await vera.get(`/v3/Lists/${open}.messages/Items`)
      assert.deepEqual([items.status, items.body.code], [403, 54007])
      for (const name of [`${closed}.channel`, `${closed}.messages`, `${closed}.roster`]) {
        const { status, body } = await vera.root(name)
        assert.deepEqual([status, body.code], [404, 54100])
      }
      await stage.service.channels(closed).invites.create({ identity: 'vera' })
      assert.equal((await vera.root(`${closed}.channel`)).status, 200)
      assert.equal((await vera.root(`${closed}.messages`)).status, 403)
      await stage.service.channels(closed).members.create({ identity: 'vera' })
      assert.equal((await vera.root(`${closed}.messages`)).status, 200)
    })

    test("[CS106] a user's channels are theirs alone, what is about them is everybody's", async () => {
      await using vera = await enter('vera')
      await using ana = await enter('ana')
      const sid = await userSid('vera')
      assert.equal((await vera.root(`${sid}.my_channels`)).status, 200)
      const { status, body } = await ana.root(`${sid}.my_channels`)
      assert.deepEqual([status, body.code], [403, 54007])
      assert.equal((await ana.root(`${sid}.info`)).status, 200)
    })

    test("[CS107] what is another service's or account's is not there", async () => {
      const other = await world.newAccount('Other')
      const there = await other.twilio.chat.v2.services.create({ friendlyName: 'There' })
      const beside = await world.twilio.chat.v2.services.create({ friendlyName: 'Beside' })
      await using vera = await enter('vera')
      for (const it of [
        other.twilio.chat.v2.services(there.sid),
        world.twilio.chat.v2.services(beside.sid),
      ]) {
        const channel = await it.channels.create({})
        await it.channels(channel.sid).members.create({ identity: 'vera' })
        const user = await it.users('vera').fetch()
        for (const name of [
          `${channel.sid}.channel`,
          `${channel.sid}.messages`,
          `${channel.sid}.roster`,
          `${user.sid}.info`,
        ]) {
          const { status, body } = await vera.root(name)
          assert.deepEqual([status, body.code], [404, 54100], name)
        }
        assert.equal((await vera.root(`${user.sid}.my_channels`)).status, 403)
      }
    })

    test('[CS108] nobody writes', async () => {
      const channel = await channelWith(['vera'])
      await using vera = await enter('vera')
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const { status, body } = await vera.client.ask(method, `/v3/Documents/${channel}.channel`, {
          data: {},
        })
        assert.deepEqual([status, body.code], [403, 54007])
      }
    })

    test('[CS110] to follow is answered at once, and each object is confirmed', async () => {
      const channel = await channelWith(['vera'])
      await using vera = await enter('vera')
      const [document, list] = [await vera.root(`${channel}.channel`), await vera.root(`${channel}.messages`)]
      const { status, body } = await vera.subscribe(
        'establish',
        [
          { object_sid: document.body.sid, object_type: 'document', last_event_id: 0 },
          { object_sid: list.body.sid, object_type: 'list', last_event_id: 0 },
        ],
        77,
      )
      assert.equal(status, 200)
      assert.ok(body.estimated_delivery_in_ms > 0)
      for (const [sid, type] of [
        [document.body.sid, 'document'],
        [list.body.sid, 'list'],
      ]) {
        const told = await vera.told(({ event }) => event.object_sid === sid)
        assert.deepEqual(told, {
          event_type: 'subscription_established',
          correlation_id: 77,
          event_protocol_version: 4,
          messageType: 'twilio.sync.event',
          event: { object_sid: sid, object_type: type, replay_status: 'completed', last_event_id: 0 },
        })
      }
    })

    const said = (told: readonly { event_type: string; event: { id?: number; item_index?: number } }[]) =>
      told.map(({ event_type, event }) => [event_type, event.id, event.item_index])

    test('[CS111] what came after a number is told, in order, and then where that leads', async () => {
      const channel = await channelWith(['vera'], { messages: 4 })
      await using vera = await enter('vera')
      const told = await vera.follow(`${channel}.messages`, 2)
      assert.deepEqual(said(told.slice(0, -1)), [
        ['list_item_added', 3, 2],
        ['list_item_added', 4, 3],
      ])
      assert.equal(told.at(-1)?.event.last_event_id, 4)
      const none = await vera.follow(`${channel}.messages`, null)
      assert.deepEqual(said(none), [['subscription_established', undefined, undefined]])
      assert.equal(none[0]?.event.last_event_id, 4)
    })

    test('[CS112] of what was missed, each item as it is now', async () => {
      const channel = await channelWith(['vera'])
      const { messages } = stage.service.channels(channel)
      const kept = await messages.create({ body: 'kept' })
      const gone = await messages.create({ body: 'gone' })
      await messages(kept.sid).update({ body: 'changed' })
      await messages(gone.sid).remove()
      await messages.create({ body: 'last' })
      await using vera = await enter('vera')
      const told = await vera.follow(`${channel}.messages`, 0)
      assert.deepEqual(said(told.slice(0, -1)), [
        ['list_item_added', 1, 0],
        ['list_item_updated', 3, 0],
        ['list_item_removed', 4, 1],
        ['list_item_added', 5, 2],
      ])
      assert.equal(told[0]?.event.item_data.text, 'changed')
      const document = await vera.follow(`${channel}.channel`, 0)
      assert.deepEqual(
        document.map((it) => it.event_type),
        ['document_updated', 'subscription_established'],
      )
      assert.equal(document[0]?.event.document_data.lastMessage.index, 2)
    })

    test('[CS113] much is told in parts', async () => {
      const channel = await channelWith(['vera'])
      const { messages } = stage.service.channels(channel)
      for (let at = 0; at < 620; at += 31)
        await Promise.all(Array.from({ length: 31 }, (_, more) => messages.create({ body: `${at + more}` })))
      await using vera = await enter('vera')
      const first = await vera.follow(`${channel}.messages`, 0)
      assert.equal(first.length, 501)
      assert.equal(first.at(-1)?.event.replay_status, 'interrupted')
      assert.equal(first.at(-1)?.event.last_event_id, 500)
      const rest = await vera.follow(`${channel}.messages`, 500)
      assert.equal(rest.length, 121)
      assert.equal(rest.at(-1)?.event.replay_status, 'completed')
      const told = [...first.slice(0, -1), ...rest.slice(0, -1)].map(({ event }) => event.item_index)
      assert.deepEqual(
        told,
        Array.from({ length: 620 }, (_, at) => at),
      )
    })

    test('[CS114] from then on each event once, in order, as what it is about', async () => {
      const channel = await channelWith(['vera'])
      await using vera = await enter('vera')
      for (const name of [`${channel}.channel`, `${channel}.messages`, `${channel}.roster`])
        await vera.follow(name)
      const { messages } = stage.service.channels(channel)
      await Promise.all(Array.from({ length: 20 }, (_, at) => messages.create({ body: `${at}` })))
      const indices: number[] = []
      const ids: number[] = []
      while (indices.length < 20) {
        const { event, messageType } = await vera.change('list_item_added')
        assert.equal(messageType, 'com.twilio.rtd.cds.list')
        indices.push(event.item_index)
        ids.push(event.id)
      }
      assert.deepEqual(
        indices,
        Array.from({ length: 20 }, (_, at) => at),
      )
      assert.deepEqual(
        ids,
        Array.from({ length: 20 }, (_, at) => at + 1),
      )
      assert.equal((await vera.change('document_updated')).messageType, 'com.twilio.rtd.cds.document')
      await stage.service.channels(channel).members.create({ identity: 'ben' })
      assert.equal((await vera.change('map_item_added')).messageType, 'com.twilio.rtd.cds.map')
      await vera.settled()
    })

    test('[CS115] one event in one notification', async () => {
      const channel = await channelWith(['vera'], { messages: 3 })
      await using vera = await enter('vera')
      for (const it of await vera.follow(`${channel}.messages`, 0)) {
        assert.ok(it.event)
        assert.ok(!('events' in it))
      }
    })

    test('[CS116] what is cancelled is told no more', async () => {
      const channel = await channelWith(['vera'])
      await using vera = await enter('vera')
      await vera.follow(`${channel}.messages`)
      const { body } = await vera.root(`${channel}.messages`)
      await vera.subscribe('cancel', [{ object_sid: body.sid, object_type: 'list' }], 78)
      const told = await vera.told((it) => it.correlation_id === 78)
      assert.equal(told.event_type, 'subscription_canceled')
      await stage.service.channels(channel).messages.create({ body: 'unheard' })
      assert.deepEqual(await vera.settled(), [])
    })

    test('[CS117] who leaves hears of it, and nothing after', async () => {
      for (const type of ['public', 'private'] as const) {
        const channel = await channelWith(['vera', 'ana'], { type })
        await using vera = await enter('vera')
        await using ana = await enter('ana')
        const names = [`${channel}.channel`, `${channel}.messages`, `${channel}.roster`]
        for (const name of names) await vera.follow(name)
        for (const name of names) await ana.follow(name)
        const places = `${await userSid('vera')}.my_channels`
        await vera.follow(places)
        await stage.service.channels(channel).members('vera').remove()
        assert.equal(
          (await vera.told((it) => it.event.map_unique_name === places)).event_type,
          'map_item_removed',
        )
        assert.equal((await vera.change('map_item_removed')).event.map_unique_name, `${channel}.roster`)
        await stage.service.channels(channel).messages.create({ body: 'behind their back' })
        await stage.service.channels(channel).update({ friendlyName: 'Elsewhere' })
        await ana.change('list_item_added')
        const heard = (await vera.settled()).map((it) => it.event_type)
        assert.deepEqual(heard, type === 'public' ? ['document_updated', 'document_updated'] : [])
      }
    })

    test('[CS118] a channel that is destroyed is gone for everybody', async () => {
      const channel = await channelWith(['vera'], { type: 'private', messages: 1 })
      await stage.service.channels(channel).invites.create({ identity: 'ben' })
      await using vera = await enter('vera')
      await using ben = await enter('ben')
      for (const name of [`${channel}.channel`, `${channel}.messages`, `${channel}.roster`])
        await vera.follow(name)
      await vera.follow(`${await userSid('vera')}.my_channels`)
      await ben.follow(`${await userSid('ben')}.my_channels`)
      await stage.service.channels(channel).remove()
      for (const type of ['document_removed', 'list_removed', 'map_removed']) await vera.change(type)
      assert.equal((await vera.change('map_item_removed')).event.item_key, channel)
      assert.equal((await ben.change('map_item_removed')).event.item_key, channel)
      assert.equal((await vera.root(`${channel}.channel`)).status, 404)
    })

    test('[CS119] what is hidden cannot be followed', async () => {
      const open = await channelWith(['ana'])
      const closed = await channelWith(['ana'], { type: 'private' })
      await using ana = await enter('ana')
      await using vera = await enter('vera')
      for (const [name, status] of [
        [`${open}.messages`, 403],
        [`${closed}.channel`, 404],
        [`${await userSid('ana')}.my_channels`, 403],
      ] as const) {
        const { body } = await ana.root(name)
        const [told] = await vera.establish(body.sid, name, 0)
        assert.equal(told?.event_type, 'subscription_failed')
        assert.equal(told?.event.error.status, status)
      }
      const [told] = await vera.establish(`ET${'0'.repeat(32)}`, '.channel', 0)
      assert.equal(told?.event.error.status, 404)
    })

    test('[CS120] a request follows a hundred objects at the most', async () => {
      await using vera = await enter('vera')
      const many = Array.from({ length: 101 }, () => ({
        object_sid: `ET${'0'.repeat(32)}`,
        object_type: 'document',
      }))
      assert.equal((await vera.subscribe('establish', many)).status, 400)
      assert.equal((await vera.client.ask('POST', '/v4/Subscriptions', { requests: 'all' })).status, 400)
      assert.equal((await vera.client.ask('POST', '/v4/Subscriptions', null)).status, 400)
    })

    test('[CS130] messages, and the latest of them', async () => {
      const channel = await channelWith(['vera'], { messages: 1 })
      await using vera = await enter('vera')
      await vera.follow(`${channel}.messages`)
      await vera.follow(`${channel}.channel`)
      const { messages } = stage.service.channels(channel)
      const { sid } = await messages.create({ body: 'Grüße 👋', from: 'ana', attributes: '{"a":1}' })
      const added = (await vera.change('list_item_added')).event.item_data
      assert.deepEqual(
        [added.sid, added.text, added.author, added.attributes, added.lastUpdatedBy, added.type],
        [sid, 'Grüße 👋', 'ana', '{"a":1}', null, 'text'],
      )
      assert.equal((await vera.change('document_updated')).event.document_data.lastMessage.index, 1)
      await messages(sid).update({ body: 'Hello', lastUpdatedBy: 'ben' })
      const updated = (await vera.change('list_item_updated')).event.item_data
      assert.deepEqual([updated.text, updated.lastUpdatedBy], ['Hello', 'ben'])
      await messages(sid).remove()
      assert.equal((await vera.change('list_item_removed')).event.item_index, 1)
      assert.equal((await vera.change('document_updated')).event.document_data.lastMessage.index, 0)
    })

    test('[CS131] joining and being invited', async () => {
      const channel = await channelWith(['ana'], { type: 'private' })
      await using ana = await enter('ana')
      await using vera = await enter('vera')
      await ana.follow(`${channel}.roster`)
      await vera.follow(`${await userSid('vera')}.my_channels`)
      await stage.service.channels(channel).invites.create({ identity: 'vera' })
      const invited = (await vera.change('map_item_added')).event
      assert.deepEqual([invited.item_key, invited.item_data.status], [channel, 'invited'])
      const { sid } = await stage.service.channels(channel).members.create({ identity: 'vera' })
      const joined = (await vera.change('map_item_updated')).event
      assert.deepEqual([joined.item_key, joined.item_data.status], [channel, 'joined'])
      const seen = (await ana.change('map_item_added')).event
      assert.deepEqual([seen.item_key, seen.item_data.identity], [sid, 'vera'])
      assert.equal(seen.item_data.userInfo, `${await userSid('vera')}.info`)
    })

    test('[CS132] a horizon is seen by others, how loud a channel is by oneself', async () => {
      const channel = await channelWith(['vera', 'ana'], { messages: 3 })
      await using vera = await enter('vera')
      await using ana = await enter('ana')
      await ana.follow(`${channel}.roster`)
      await vera.follow(`${await userSid('vera')}.my_channels`)
      const place = stage.service.users('vera').userChannels(channel)
      await place.update({ lastConsumedMessageIndex: 1 })
      assert.equal((await vera.change('map_item_updated')).event.item_data.lastConsumedMessageIndex, 1)
      const seen = (await ana.change('map_item_updated')).event.item_data
      assert.equal(seen.lastConsumedMessageIndex, 1)
      assert.ok(seen.lastConsumptionTimestamp)
      await place.update({ notificationLevel: 'muted' })
      assert.equal((await vera.change('map_item_updated')).event.item_data.notificationLevel, 'muted')
      assert.deepEqual(await ana.settled(), [])
    })

    test("[CS133] a user's name and attributes", async () => {
      await using _ = await enter('vera')
      await using ana = await enter('ana')
      await ana.follow(`${await userSid('vera')}.info`)
      // Whether Vera is here is told there as well, in its own time.
      const become = async (key: string): Promise<unknown> =>
        (await ana.told((it) => it.event_type === 'map_item_updated' && it.event.item_key === key)).event
          .item_data
      await stage.service.users('vera').update({ friendlyName: 'Vera V.', attributes: '{"age":3}' })
      assert.deepEqual(await become('friendlyName'), { value: 'Vera V.' })
      assert.deepEqual(await become('attributes'), { value: '{"age":3}' })
      await stage.service.users('vera').update({ friendlyName: 'Vera' })
      assert.deepEqual(await become('friendlyName'), { value: 'Vera' })
    })

    test('[CS135] typing is told to the other members', async () => {
      const channel = await channelWith(['vera', 'ana'])
      await using vera = await enter('vera')
      await using ana = await enter('ana')
      await using sol = await enter('sol')
      await vera.follow(`${channel}.roster`)
      await ana.follow(`${channel}.roster`)
      await sol.follow(`${channel}.channel`)
      const path = (await vera.get('/Client/v1/Configuration')).body.links.typing.replace(
        /^https:\/\/[^/]+/,
        '',
      )
      const { status, body } = await vera.client.ask('POST', path, { ChannelSid: channel })
      assert.equal(status, 200)
      const told = (await ana.told(
        (it) => it.messageType === 'twilio.ipmsg.typing_indicator',
      )) as unknown as {
        channel_sid: string
        identity: string
        typing_timeout: number
      }
      assert.deepEqual([told.channel_sid, told.identity], [channel, 'vera'])
      assert.equal(told.typing_timeout, body.typing_timeout + 1)
      assert.deepEqual(await vera.settled(), [])
      assert.deepEqual(await sol.settled(), [])
      assert.equal((await sol.client.ask('POST', path, { ChannelSid: channel })).status, 403)
    })
  })

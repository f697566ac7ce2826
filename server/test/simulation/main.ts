/**
 * `npm run simulate -- --seed N --hours H`: a centre of 200 agents lives through so many hours, with faults and crashes.
 * They have shifts, eight hours on five days of seven; with `--round-the-clock` all of them are always there.
 * `--agents 0` makes it a small one by chance, as the tests have it; `--calm` leaves the trouble out; everything is
 * checked after `--every` steps, 50 unless given; with `--every 0` after each, and the order of service too. With `--log`
 * the log of events and the statistics are written as well, which nothing here judges: that takes twice the time.
 */
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    hours: { type: 'string', default: '1' },
    agents: { type: 'string', default: '200' },
    every: { type: 'string', default: '50' },
    calm: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    'round-the-clock': { type: 'boolean', default: false },
  },
})

const WEEK_HOURS = 168

const began = performance.now()
const wanted = {
  seed: Number(values.seed),
  hours: Number(values.hours),
  agents: Number(values.agents) || undefined,
  checkEvery: Number(values.every) || undefined,
  trouble: !values.calm,
  records: values.log,
  roundTheClock: values['round-the-clock'],
}
try {
  const { hash, steps, tasks, reservations, counts } = await simulate(wanted)
  for (const [what, count] of [...counts].sort()) console.log(String(count).padStart(9), what)
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage()
  const busy = (user + system) / 1_000_000
  console.log(
    `seed ${wanted.seed}: ${wanted.hours} h in ${seconds.toFixed(1)} s, ${steps} steps, ` +
      `${tasks} tasks, ${reservations} reservations; hash ${hash}`,
  )
  console.log(
    `${Math.round((wanted.hours * 3_600) / seconds).toLocaleString('en')} times as fast as life, ` +
      `a week in ${Math.round((seconds * WEEK_HOURS) / wanted.hours)} s; ` +
      `of the processor ${busy.toFixed(1)} s, ${((busy * 1000) / Math.max(1, tasks)).toFixed(2)} ms for each task`,
  )
} catch (fault) {
  console.error(fault)
  console.error(`\nTo see it again: npm run simulate -- ${process.argv.slice(2).join(' ')}`)
  process.exitCode = 1
}

/**
 * A crowd, as a program of its own: `node crowd.ts '{"people":200,…}'`. The published SDK keeps timers for a day, and a
 * process that has used it must be ended.
 */
import { type Crowd, comeBackToAgreement } from './away.ts'

try {
  await comeBackToAgreement(JSON.parse(process.argv[2] ?? '{}') as Crowd)
  process.exit(0)
} catch (fault) {
  console.error(fault)
  process.exit(1)
}

/** How much work something is, whoever else is at work on the same machine. */

/** For how many milliseconds this process, and with it the house that it opened, has kept processors busy. */
export const busyMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

// Remembers what was made of a text, within a bound on the text kept, the least recently asked for
// forgotten first. Two generations: what is asked for is moved to the young one, and when that is half
// the bound, the old one is dropped. So a hit costs one look-up and there is no list to keep in order.

/** What an entry costs besides its text, in characters: keeps many tiny texts bounded too. */
const ENTRY_CHARACTERS = 256

/**
 * Wraps `make` so that the same text gives the same object again. A text for which `make` throws is not
 * remembered; a text longer than half the bound is made anew each time.
 */
export function remember<Made extends object>(
  make: (text: string) => Made,
  { characters }: { readonly characters: number },
): (text: string) => Made {
  const generationCharacters = characters / 2
  let young = new Map<string, Made>()
  let old = new Map<string, Made>()
  let youngCharacters = 0
  return (text) => {
    const known = young.get(text)
    if (known !== undefined) return known
    const made = old.get(text) ?? make(text)
    const cost = text.length + ENTRY_CHARACTERS
    if (cost > generationCharacters) return made
    if (youngCharacters + cost > generationCharacters) {
      old = young
      young = new Map()
      youngCharacters = 0
    }
    young.set(text, made)
    youngCharacters += cost
    return made
  }
}

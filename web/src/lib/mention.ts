/** Mentions: `@name` in a text, whatever the case, and not merely the beginning of a longer name. */

const WORD = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}_]/u;
/** What makes a character before it part of a longer one: a family emoji is not its first person. */
const GOES_ON = /^\ufe0f?[\u200c\u200d\u20e3\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]/u;

/** Where `@name` stands in a text, as [start, end) pairs. */
export function findMentions(text: string, name: string): [number, number][] {
  const found: [number, number][] = [];
  if (name === '') return found;
  const wanted = '@' + name.toLowerCase();
  const lower = text.toLowerCase();
  // Lower case of another length would put the marks beside the name; such letters are rare: no mark then.
  if (lower.length !== text.length) return found;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
    const end = at + wanted.length;
    const last = wanted[wanted.length - 1]!;
    const next = lower[end];
    // A name in Latin letters ends where its word ends; Chinese is written without spaces.
    if (next !== undefined && ((WORD.test(last) && WORD.test(next)) || GOES_ON.test(lower.slice(end, end + 3)))) continue;
    found.push([at, end]);
  }
  return found;
}

export function mentions(text: string, name: string): boolean {
  return findMentions(text, name).length > 0;
}

/** The colour of a name: stable, the same for everybody, one of those whose contrast is tested; and names compared. */

export const COLOURS = 18;

export function colourOf(name: string): number {
  // FNV-1a over UTF-16 units: short, and well spread for short strings.
  let hash = 0x811c9dc5;
  const text = folded(name);
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % COLOURS;
}

/** Without differences of case and width, and without joiners and selectors, which need not be typed; flags keep their tags. */
export function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/[^\P{DI}\u{e0020}-\u{e007f}]/gu, '');
}

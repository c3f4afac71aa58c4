/** The colour of a name: stable, the same for everybody, one of those whose contrast is tested. */

export const COLOURS = 18;

export function colourOf(name: string): number {
  // FNV-1a over UTF-16 units: short, and well spread for short strings.
  let hash = 0x811c9dc5;
  const text = name.normalize('NFKC').toLowerCase();
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % COLOURS;
}

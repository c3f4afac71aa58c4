/**
 * Addresses of the web in a text: where they begin and end, and where they lead.
 *
 * Chinese is written without spaces, so an address must end where the sentence goes on. Nobody is led anywhere but where
 * the text says: what does not plainly name the host that a browser would ask gets that host shown beside it, or is no link.
 *
 * Linear: a host is looked for within its greatest length, and what follows it is looked at once.
 */

import { isBlank } from './blank';
import { charBefore, isSpaced, isUnspaced, UNSPACED } from './characters';

export interface Link {
  href: string;
  /** the host, if the reader could take it for another */
  host: string;
}

export interface Found {
  /** what follows the address */
  end: number;
  /** null: this is an address, but not one to follow */
  link: Link | null;
}

/** The longest host, and what may stand around it. */
const NEAR = 300;
const LETTER = '[\\p{L}\\p{M}\\p{N}]';
const PART = '[\\p{L}\\p{M}\\p{N}_-]';
const SPACED = `(?:(?!${UNSPACED})${PART})+`;
/** The top-level domains of Chinese addresses; the text may go on after them. */
const TOP = '(?:中[国國]|中文网|公[司益]|网[络站址店]|網[絡站址]|在线|商城|集团|政务|我爱你|香港|台[湾灣]|澳[门門]|测试|測試)';
/** 例子.com is a host, and so is qq邮箱.com; example.com这里 is one and a word. */
const HOST = `(?=${LETTER})(?:${PART}+(?=\\.${LETTER})|${SPACED})(?:\\.(?=${LETTER})(?:${TOP}(?!${PART}*\\.${LETTER})|${SPACED}|${UNSPACED}${PART}*))*`;
/** Scheme, host, and what makes the host the name of a user instead. Of two schemes the second one counts. */
const ADDRESS = new RegExp(`^(https?://(?!https?://)|www\\.)(${HOST}|\\[[\\da-f:.]+\\])((?::[^\\s/?#@]*)?@)?`, 'iu');
/** After these, `www.` is part of something longer. */
const GOES_ON = /[\w./:@\\-]/;

const OTHER = '(?![\\0-~])';
const PLAIN = `[A-Za-z0-9._~:[\\]@!$'()+,;%-]|\\*(?!\\*)|${OTHER}(?!${UNSPACED})${LETTER}`;
/** Chinese belongs to a part of a path that begins with it: /r/茶馆 */
const WIDE = `(?:${OTHER}(?:${UNSPACED}|\\p{Emoji})(?:${PLAIN}|${OTHER}(?:${UNSPACED}|\\p{Emoji}))*)?`;
/** Port and path. A site's own address is often copied with its slash, and a sentence begun after it. */
const PATH = new RegExp(`(?::\\d{1,5})?(?:(?:/|[?#]${WIDE})(?:[/?#=&]${WIDE}|${PLAIN})*)?`, 'uy');
/** What belongs to the sentence if an address ends with it. */
const TRAILING = /[.,;:!?'*_~([]/;
/** Characters that a label has only if it looks like an address. A full stop at its end belongs to the sentence. */
const STRANGE = /[^\s\p{L}\p{M}\p{N}\p{Emoji_Presentation}\-'’_,，、!！?？;；:()（）[\]【】「」『』《》“”"&+#*~～—–|`](?=[^])/u;

/** The address that begins here, if one does. */
export function addressAt(text: string, at: number): Found | null {
  const found = ADDRESS.exec(text.slice(at, at + NEAR));
  if (!found) return null;
  const scheme = found[1]!;
  const host = found[2]!.replace(/[_-]+$/, '');
  const before = charBefore(text, at);
  const bare = scheme.length === 4;
  if (bare ? !host.includes('.') || GOES_ON.test(before) || isSpaced(before) : /[A-Za-z0-9]/.test(before)) return null;
  // https://bank.example@evil.example/ leads to evil.example.
  if (found[3]) return { end: at + found[0].length, link: null };
  const start = at + scheme.length + host.length;
  PATH.lastIndex = start;
  const end = start + trimmed(PATH.exec(text)![0]);
  return { end, link: follow(bare, text.slice(at, end), bare ? scheme + host : host) };
}

/** `[label](address)` that begins here, if one does. */
export function labelledAt(text: string, at: number): { end: number; label: string; link: Link } | null {
  let close = at + 1;
  while (close < text.length && !/[[\]\n]/.test(text[close]!)) close += 1;
  if (text[close] !== ']' || text[close + 1] !== '(') return null;
  const start = close + 2;
  let end = start;
  for (let open = 1; end < text.length; end += 1) {
    const char = text[end]!;
    if (char === '(') open += 1;
    if (char === ')') open -= 1;
    if (open === 0) break;
    if (/[\s<>]/.test(char) || (char === ']' && text[end + 1] === '(')) return null;
  }
  const scheme = /^(?:https?:\/\/|www\.)/i.exec(text.slice(start, start + 8))?.[0];
  const label = text.slice(at + 1, close);
  if (end === text.length || !scheme || isBlank(label)) return null;
  const link = follow(scheme.length === 4, text.slice(start, end), null);
  return link && { end: end + 1, label, link: { href: link.href, host: looksElsewhere(label, link.host) ? link.host : '' } };
}

/** How much of a port and path belongs to the address: up to the first bracket that closes another's, without punctuation. */
function trimmed(path: string): number {
  const open: Record<string, number> = { ')': 0, ']': 0 };
  let end = 0;
  for (; end < path.length; end += 1) {
    const char = path[end]!;
    if (char === '(') open[')']! += 1;
    if (char === '[') open[']']! += 1;
    if (char in open && --open[char]! < 0) break;
  }
  while (end > 0 && TRAILING.test(path[end - 1]!)) end -= 1;
  return end;
}

/**
 * Where an address leads; null for what is none, and for one with a user's name in it.
 *
 * @param typed the host as it stands in the text, or null to show the host in any case
 */
function follow(bare: boolean, address: string, typed: string | null): Link | null {
  const url = parsed(bare ? `https://${address}` : address);
  if (!url || url.username !== '' || url.password !== '') return null;
  // Letters of other scripts can look like Latin ones; those of Chinese, Japanese and Korean do not.
  const plain = typed !== null && url.hostname.includes('xn--') && [...typed].every((char) => char <= '~' || isUnspaced(char));
  return { href: url.href, host: plain || typed?.toLowerCase() === url.hostname ? '' : url.host };
}

/** Whether a label could be taken for an address that is not this host's. */
function looksElsewhere(label: string, host: string): boolean {
  const shown = label.normalize('NFKC').trim();
  if (!STRANGE.test(shown)) return false;
  const url = /\s/.test(shown) ? null : parsed(/^https?:\/\//i.test(shown) ? shown : `https://${shown}`);
  return !url || url.username !== '' || url.host.replace(/^www\./, '') !== host.replace(/^www\./, '');
}

function parsed(address: string): URL | null {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

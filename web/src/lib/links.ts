/**
 * Addresses of the web in a text: where they begin and end, and where they lead.
 *
 * Chinese is written without spaces, so an address must end where the sentence goes on. Nobody is led anywhere but where
 * the text says: what does not plainly name the host that a browser would ask gets that host shown beside it, or is no link.
 *
 * Linear: what has been looked at for one address is not looked at again for another.
 */

import { isBlank } from './blank';
import { charAt, charBefore, isSpaced, isUnspaced, WORD } from './characters';

export interface Link {
  href: string;
  /** the host, where the reader would else take it for another */
  host: string;
}

export interface Found {
  /** behind the address */
  end: number;
  /** null: this is an address, but not one to follow */
  link: Link | null;
}

const SCHEME = /^(?:https?:\/\/|www\.)/i;
/** Beside these `www.` is a part of something longer. */
const GOES_ON = /[\w./:@\\-]/;
const IN_PATH = /[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/;
/** Behind these, in a path, another part of the address begins. */
const PARTS = /[/?#=&]/;
/** What belongs to the sentence if an address ends with it. */
const TRAILING = /[.,;:!?'*_~([]/;
/** The top-level domains of Chinese addresses; the text may go on behind them. */
const CHINESE_TOP = /^(?:中[国國]|中文网|公[司益]|网[络站址店]|網[絡站址]|在线|商城|集团|政务|我爱你|香港|台[湾灣]|澳[门門]|测试|測試)/;
/** What no label holds that is not at all like an address; a full stop at its end is the sentence's. */
const STRANGE = /[^\s\p{L}\p{M}\p{N}\p{Emoji_Presentation}\-'’_,，、!！?？;；:()（）[\]【】「」『』《》“”"&+#*~～—–|`](?=[^])/u;

/** The address that begins here, if one does. */
export function addressAt(text: string, at: number): Found | null {
  const scheme = SCHEME.exec(text.slice(at, at + 8))?.[0];
  const before = charBefore(text, at);
  // Typed twice, the second one counts.
  if (!scheme || SCHEME.test(text.slice(at + scheme.length, at + scheme.length + 8))) return null;
  const bare = scheme.length === 4;
  if (bare ? GOES_ON.test(before) || isSpaced(before) : /[A-Za-z0-9]/.test(before)) return null;
  const start = at + scheme.length;
  const host = hostEnd(text, start);
  if (host === start || (bare && !text.slice(start, host).includes('.'))) return null;
  // https://bank.example@evil.example/ leads to evil.example.
  let user = host;
  if (text[user] === ':' && !bare) while (user < text.length && !/[\s/?#@]/.test(text[user]!)) user += 1;
  if (text[user] === '@') return { end: user + 1, link: null };
  const end = pathEnd(text, host);
  return { end, link: follow(bare, text.slice(at, end), text.slice(bare ? at : start, host)) };
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
  const scheme = SCHEME.exec(text.slice(start, start + 8))?.[0];
  const label = text.slice(at + 1, close);
  if (end === text.length || !scheme || isBlank(label)) return null;
  const link = follow(scheme.length === 4, text.slice(start, end), null);
  return link && { end: end + 1, label, link: { href: link.href, host: looksElsewhere(label, link.host) ? link.host : '' } };
}

/** Where a host ends: at the end of its letters, or where Chinese text goes on behind `example.com`. */
function hostEnd(text: string, start: number): number {
  const numbers = /^\[[0-9a-f:.]+\]/i.exec(text.slice(start, start + 48));
  if (numbers) return start + numbers[0].length;
  let end = start;
  for (let label = start; ; label = end + 1) {
    let turn = -1;
    let char = '';
    for (end = label; (char = charAt(text, end)) !== '' && (WORD.test(char) || char === '-' || char === '_'); end += char.length) {
      if (turn < 0 && end > label && isUnspaced(char) && !isUnspaced(charBefore(text, end))) turn = end;
    }
    if (end === label) return Math.max(start, label - 1);
    const last = text[end] !== '.' || !WORD.test(charAt(text, end + 1));
    // 例子.com is a host, and so is qq邮箱.com; example.com这里 is one and a word.
    if (turn >= 0 && (last || label > start)) return turn;
    if (last && label === start) return isUnspaced(charAt(text, label)) ? start : end;
    if (last) return label + (CHINESE_TOP.exec(text.slice(label, end))?.[0].length ?? end - label);
  }
}

function pathEnd(text: string, host: number): number {
  const port = /^:\d{1,5}/.exec(text.slice(host, host + 6));
  const start = host + (port ? port[0].length : 0);
  if (!/[/?#]/.test(text[start] ?? '')) return start;
  const open = { ')': 0, ']': 0 };
  /** Whether a part of the address has just begun, and whether it is written without spaces: /r/茶馆 */
  let begins = false;
  let unspaced = false;
  let end = start;
  for (let char = ''; (char = charAt(text, end)) !== ''; end += char.length) {
    if (char <= '~') {
      if (!IN_PATH.test(char) || (char === '*' && text[end + 1] === '*')) break;
      if (char === '(') open[')'] += 1;
      if (char === '[') open[']'] += 1;
      if ((char === ')' || char === ']') && --open[char] < 0) break;
    } else if (!isSpaced(char)) {
      // A site's own address is often copied with its slash, and a sentence begun behind it.
      if ((!begins && !unspaced) || !(isUnspaced(char) || /\p{Emoji}/u.test(char))) break;
      unspaced = true;
    }
    begins = PARTS.test(char) && !(char === '/' && end === start);
    if (begins) unspaced = false;
  }
  while (end > start && TRAILING.test(text[end - 1]!)) end -= 1;
  return end;
}

/**
 * Where an address leads; null for what is none, and for one with a user's name in it.
 *
 * @param typed the host as it stands in the text, or null to have the host told in any case
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

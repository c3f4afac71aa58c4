/**
 * What a typed text is, by the server's rule (`chatroom/core/markers.py`): its beginning is read without regard to case,
 * width, leading spaces and what cannot be seen, because a private text must not become public by a slip of the keyboard.
 */

export interface Typed {
  kind: 'message' | 'command' | 'to';
  /** the text as it will look, the command with a plain slash, or the name */
  text: string;
}

const HIDDEN = '[\\s\\p{DI}\\p{M}\\p{Cf}\\p{Cc}\\u2800]';
/** What looks like a slash, and what Chinese keyboards type for it. */
const SLASH = '[/⁄∕╱⟋⧸、／､]';
const BEGINS = new RegExp(`^${HIDDEN}*${SLASH}((?:(?!\\s)${HIDDEN})*${SLASH})?`, 'u');
const COLON = '[:ː˸։׃⁚∶ꓽ꞉]';
const TO = new RegExp(`^to${COLON}`);
const TO_COLON = new RegExp(`^[^]*?${COLON.replace(']', '：︓﹕]')}`);

/** `//x` sends `/x`, `/say TEXT` sends TEXT. */
export function read(text: string): Typed {
  const begins = BEGINS.exec(text);
  if (begins) {
    const rest = text.slice(begins[0].length);
    if (begins[1]) return { kind: 'message', text: '/' + rest };
    const [word] = rest.split(/\s/, 1);
    const said = rest.slice(word!.length + 1);
    return folded(word!) === 'say' && said.trim() ? { kind: 'message', text: said } : { kind: 'command', text: '/' + rest };
  }
  if (TO.test(folded(text))) return { kind: 'to', text: afterColon(text.normalize('NFKC')) };
  return { kind: 'message', text };
}

/** What stands after the colon of `to:NAME`. */
export function afterColon(text: string): string {
  return text.replace(TO_COLON, '');
}

function folded(text: string): string {
  return text.normalize('NFKD').replace(new RegExp(HIDDEN, 'gu'), '').toLowerCase();
}

/** How a message is typed so that it looks like this. */
export function asTyped(text: string): string {
  const typed = read(text);
  return typed.kind === 'message' && typed.text === text ? text : text[0] === '/' ? `/${text}` : `/say ${text}`;
}

/** The key by which `to:NAME` compares names: without case, width, quotes and invisible characters. */
export function keyOf(name: string): string {
  const key = name.normalize('NFKC').replace(/\p{DI}/gu, '').replace(/\s+/g, ' ').toLowerCase();
  return key.replace(/^[ "“”]+|[ "“”]+$/g, '');
}

/** The key of a name as it may be written: with `@` before it, a mark after it, in quotes or brackets. */
export function bareKeyOf(name: string): string {
  return keyOf(name).replace(/^[@"'“‘`„«‹<〈《「『【[(]+|[:,;.!?>=–—、。"'”’`“»›〉》」』】\])]+$/g, '');
}

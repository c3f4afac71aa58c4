/** Addresses: which room the page is for, and the address of another. All derive from the document's base. */

import { folded } from './names';

export const LOBBY = 'lobby';

export function base(): URL {
  return new URL('.', document.baseURI);
}

/** The room in a path below `root`, or null if the path names none. */
export function roomIn(path: string, root: string): string {
  const rest = path.startsWith(root) ? path.slice(root.length) : '';
  const found = /^r\/([^/]+)\/?$/.exec(rest);
  if (!found) return LOBBY;
  try {
    return decodeURIComponent(found[1]!).normalize('NFC');
  } catch {
    // A broken percent sign: the server refuses such a room, and says why.
    return found[1]!;
  }
}

/** Punctuation that programs may leave out of a link at the end of an address. */
const NOT_IN_LINKS = /[!'()*]|[._~]+$/g;

const escaped = (text: string): string =>
  text.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

/** The path of a room, in ASCII, to be a link as a whole wherever it is pasted; the lobby has the shortest. */
export function pathOf(room: string, root: string): string {
  return room === LOBBY ? root : `${root}r/${encodeURIComponent(room).replace(NOT_IN_LINKS, escaped)}`;
}

/** The server ignores case, width, joiners and selectors in room names. */
export function isSameRoom(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

/**
 * Whether anything of a text can be seen: the same rule as the server's, which `chatroom/core/characters.py` explains. The
 * server refuses a text of blanks. A test compares the two over all code points.
 */

const SEEN =
  /[^\p{Z}\p{Cc}\p{Cs}\p{Co}\p{M}\p{DI}\p{NChar}\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{13441}\u{13442}\u{1d159}]/u;

export function isBlank(text: string): boolean {
  return !SEEN.test(text);
}

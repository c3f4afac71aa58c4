/**
 * Whether anything of a text can be seen, as the server judges it (`chatroom/core/text.py`): it says no text of blanks.
 * Unassigned characters count as seen here: which they are, this browser may know less well than the server.
 */

const SEEN =
  /[^\p{Z}\p{Cc}\p{Cf}\p{Co}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\ufe0e\ufe0f]/u;

export function isBlank(text: string): boolean {
  return !SEEN.test(text);
}

/** A character that the server refuses, and the text without it. */

import type { Refusal } from '../wire';

/** The character that the server refused ("U+202A"), or ''. */
export function refusedIn(refusal: Refusal | null): string {
  const [, hex] = /^U\+([\dA-F]{4,5})$/.exec(String(refusal?.character)) ?? [];
  return hex ? String.fromCodePoint(parseInt(hex, 16)) : '';
}

/** The text without this character, nor any control or other sign of direction. */
export function purged(text: string, character: string): string {
  return text.split(character).join('').replace(/(?![\t\n])[\p{Cc}\p{Bidi_C}]/gu, '');
}

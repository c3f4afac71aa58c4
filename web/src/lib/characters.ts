/** Kinds of characters that decide where a mark or an address ends. A character here is a whole code point. */

export const WORD = /[\p{L}\p{M}\p{N}]/u;
export const PUNCTUATION = /[\p{P}\p{S}]/u;

/** Scripts that put no spaces between words: what stands beside them may belong to another word. For patterns with `u`. */
export const UNSPACED =
  '[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Bopomofo}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}ー]';

const unspaced = new RegExp(UNSPACED, 'u');

export function isUnspaced(char: string): boolean {
  return char > '~' && unspaced.test(char);
}

export function isSpaced(char: string): boolean {
  return WORD.test(char) && !isUnspaced(char);
}

/** The character that begins at a place; '' at the end. */
export function charAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** The character that ends at a place; '' at the beginning. */
export function charBefore(text: string, at: number): string {
  return /[\udc00-\udfff]/.test(text[at - 1] ?? '') && at > 1 ? charAt(text, at - 2) : (text[at - 1] ?? '');
}

/** Ids that nobody can guess. `crypto.randomUUID` is missing on plain http; `getRandomValues` is not. */

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** `length` characters of 5 bits each: 13 are 65 bits. */
export function randomId(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => LETTERS[byte & 31]).join('');
}

/**
 * Which `*` and `_` are marks, and which of them belong together.
 *
 * After CommonMark's rules, with those changed that a chat trips over: marks work beside Chinese text and punctuation;
 * a star in a sum, the underscores of an identifier and those of a face are text. What is no mark stays as it was typed.
 *
 * One pass: a run of marks looks at no more than `MOST_OPEN` that are open.
 */

import { charAt, charBefore, isSpaced, isUnspaced, PUNCTUATION, WORD } from './characters';
import type { Inline } from './markdown';

/** How deep marks nest; deeper ones stay as typed. */
export const DEEPEST = 4;
/** How many marks may be open in one line; beyond that, the first are text. */
const MOST_OPEN = 16;
/** A longer row of stars or underscores is a drawn line. */
const LONGEST = 4;

const DIGIT = /\p{N}/u;
const MARK = /[*_`]/;
const SPACE = /\s|^$/;
const OPENING = /[\p{Ps}\p{Pi}]/u;
/** What ends a sentence or a part of one: nothing that is marked begins with it. */
const ENDING = /[,.;:!?，。、；：！？…\p{Pe}\p{Pf}]/u;

/** How much of the text has gone by. */
export interface Passed {
  /** characters that can be seen */
  seen: number;
  /** letters, numbers, emoji */
  letters: number;
  /** characters that no identifier has */
  foreign: number;
}

interface Run {
  mark: string;
  size: number;
  opens: boolean;
  closes: boolean;
  /** stands inside a word */
  inWord: boolean;
}

interface Opener extends Run {
  /** where its marks stand among the nodes */
  node: number;
  /** how deep what follows it is nested */
  depth: number;
  passed: Passed;
}

/** The marks of one size that begin at a place, and what they can do there. */
export function runAt(text: string, at: number): Run {
  const mark = text[at]!;
  let size = 1;
  while (text[at + size] === mark) size += 1;
  const before = charBefore(text, at);
  const after = charAt(text, at + size);
  const alone = size === 1;
  let opens = size <= LONGEST && !SPACE.test(after);
  let closes = size <= LONGEST && !SPACE.test(before);
  let inWord = false;
  if (mark === '_') {
    // snake_case in any script; _(:з」∠)_ throws up its arms
    if (WORD.test(before) || /[(（]/.test(after)) opens = false;
    if (WORD.test(after)) closes = false;
  } else {
    // Chinese words have no edges, so two stars may stand between any two characters; a single one there multiplies.
    const joins = (char: string): boolean => (alone ? WORD.test(char) : isSpaced(char));
    inWord = joins(before) && joins(after);
    if (inWord && (DIGIT.test(before) || DIGIT.test(after))) opens = closes = false;
    if (joins(before) && PUNCTUATION.test(after)) opens = false;
    if (isUnspaced(before) && ENDING.test(after)) opens = false;
    if (OPENING.test(before) && WORD.test(after)) closes = false;
    // A comment of code, or a path
    if (before === '/') opens = false;
    if (after === '/') closes = false;
  }
  // (*^_^*) and -_- are faces.
  if (alone && PUNCTUATION.test(before) && PUNCTUATION.test(after) && !MARK.test(before) && !MARK.test(after)) opens = closes = false;
  return { mark, size, opens, closes, inWord };
}

/** Takes runs of marks as they come, and wraps those of the nodes that stand between two that belong together. */
export class Emphasis {
  readonly #nodes: Inline[];
  #open: Opener[] = [];

  constructor(nodes: Inline[]) {
    this.#nodes = nodes;
  }

  /** A run of marks; `passed` is what went by before it. */
  take(run: Run, passed: Passed): void {
    let { size } = run;
    for (let place = this.#open.length - 1; run.closes && size > 0 && place >= 0; place -= 1) {
      const opener = this.#open[place]!;
      if (!pairs(opener, run, size)) continue;
      const depth = 1 + Math.max(...this.#open.slice(place).map((one) => one.depth));
      const strong = opener.size > 1 && size > 1;
      const nothing = opener.passed.seen === passed.seen || (!strong && opener.passed.letters === passed.letters);
      const code = strong && run.mark === '_' && opener.passed.foreign === passed.foreign;
      this.#open.length = place;
      if (nothing || code || depth > DEEPEST) {
        run = { ...run, opens: false };
        break;
      }
      const children = this.#nodes.splice(opener.node + 1);
      this.#nodes.pop();
      const taken = strong ? 2 : 1;
      size -= taken;
      if (opener.size > taken) {
        this.#begin({ ...opener, size: opener.size - taken, depth });
        place += 1;
      } else if (place > 0) {
        const outer = this.#open[place - 1]!;
        outer.depth = Math.max(outer.depth, depth);
      }
      this.#nodes.push({ kind: strong ? 'bold' : 'italic', children });
    }
    if (size > 0) this.#begin({ ...run, size, node: 0, depth: 0, passed: { ...passed } });
  }

  /** The line ends, and with it all that is open. */
  end(): void {
    this.#open = [];
  }

  /** Marks as text, until something closes them. */
  #begin(opener: Opener): void {
    if (opener.opens) this.#open.push({ ...opener, node: this.#nodes.length });
    this.#nodes.push({ kind: 'text', text: opener.mark.repeat(opener.size) });
    if (this.#open.length > MOST_OPEN) this.#open.shift();
  }
}

/** Whether marks go together: one not with two, three as one and two; inside words at both ends they mark nothing: a**b + c**d */
function pairs(opener: Opener, run: Run, size: number): boolean {
  const sizes = (opener.size > 1 && size > 1) || (opener.size % 2 === 1 && size % 2 === 1);
  return opener.mark === run.mark && sizes && !(opener.inWord && run.inWord);
}

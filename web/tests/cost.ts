/**
 * What a piece of work costs, in steps: every block of our own code that runs is one, and so is every character or item
 * that the language's own functions go through for it. Unlike time, it is the same on every machine.
 */

import { Session, type Profiler } from 'node:inspector';

const OURS = /\/web\/(?:src\/|tests\/(?!cost\b))/;

const session = new Session();
session.connect();
ask('Profiler.enable');
// Only code that is compiled from now on has its blocks counted: import this file before what is to be measured.
ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

export function cost(work: () => void): number {
  let steps = 0;
  blocks();
  const restore = watch((characters) => (steps += characters));
  try {
    work();
  } finally {
    restore();
  }
  return steps + blocks();
}

/** How many blocks have run since this was last asked. */
function blocks(): number {
  return ask<Profiler.TakePreciseCoverageReturnType>('Profiler.takePreciseCoverage')
    .result.filter((script) => OURS.test(script.url))
    .flatMap((script) => script.functions)
    .flatMap((one) => one.ranges)
    .reduce((sum, range) => sum + range.count, 0);
}

function ask<Answer>(method: string, parameters = {}): Answer {
  let answer: unknown;
  session.post(method, parameters, (problem, given) => {
    if (problem) throw problem;
    answer = given;
  });
  return answer as Answer;
}

/** How many characters or items a call goes through, at most. */
const TEXT: Record<string, (text: string, given: unknown[], got: unknown) => number> = {
  indexOf: (text, [, from = 0], got) => (got === -1 ? text.length : (got as number)) - (from as number),
  lastIndexOf: (text) => text.length,
  includes: (text) => text.length,
  split: (text) => text.length,
  normalize: (text) => text.length,
  toLowerCase: (text) => text.length,
  trim: (text) => text.length,
  repeat: (_, __, got) => (got as string).length,
  slice: (_, __, got) => (got as string).length,
  replaceAll: (text) => text.length,
};
const LIST: Record<string, (list: unknown[], given: unknown[], got: unknown) => number> = {
  concat: (_, __, got) => (got as unknown[]).length,
  slice: (_, __, got) => (got as unknown[]).length,
  splice: (list, [from], got) => (got as unknown[]).length + list.length - (from as number),
  indexOf: (list) => list.length,
  includes: (list) => list.length,
  join: (list) => list.length,
  shift: (list) => list.length,
  unshift: (list) => list.length,
};

function watch(add: (steps: number) => void): () => void {
  const undo: (() => void)[] = [];
  const wrap = (prototype: object, name: string, steps: (self: never, given: unknown[], got: unknown) => number): void => {
    const original = Reflect.get(prototype, name) as (...given: unknown[]) => unknown;
    Reflect.set(prototype, name, function (this: never, ...given: unknown[]) {
      const got: unknown = original.apply(this, given);
      add(Math.max(0, steps(this, given, got)) + 1);
      return got;
    });
    undo.push(() => Reflect.set(prototype, name, original));
  };
  for (const [name, steps] of Object.entries(TEXT)) wrap(String.prototype, name, steps);
  for (const [name, steps] of Object.entries(LIST)) wrap(Array.prototype, name, steps);
  // A pattern is taken to go on to the end of the text where it does not match.
  const exec = RegExp.prototype.exec;
  RegExp.prototype.exec = function (this: RegExp, text: string) {
    const from = this.global || this.sticky ? this.lastIndex : 0;
    const got = exec.call(this, text);
    add((got ? got.index + got[0].length : text.length) - from + 1);
    return got;
  };
  undo.push(() => (RegExp.prototype.exec = exec));
  return () => undo.forEach((one) => one());
}

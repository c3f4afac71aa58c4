/** What a burst costs: it is taken in once per paint, in its order, and without delay where nothing is painted. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PaintQueue } from '../src/lib/paint';

let taken: number[][];
let paints: (() => void)[];
const page = { visibilityState: 'visible' };

beforeEach(() => {
  taken = [];
  paints = [];
  page.visibilityState = 'visible';
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
  vi.stubGlobal('requestAnimationFrame', (act: () => void) => paints.push(act));
  vi.stubGlobal('cancelAnimationFrame', (number: number) => (paints[number - 1] = () => undefined));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function made(): PaintQueue<number> {
  const queue: PaintQueue<number> = new PaintQueue(() => taken.push(queue.take()));
  return queue;
}

function paint(): void {
  for (const act of paints.splice(0)) act();
}

describe('What comes between two paints', () => {
  it('is taken in together before the next one', () => {
    const queue = made();
    for (let number = 0; number < 50; number += 1) queue.add(number);
    expect(taken).toEqual([]);
    paint();
    expect(taken).toEqual([Array.from({ length: 50 }, (_, number) => number)]);
    queue.add(50);
    paint();
    vi.runAllTimers();
    expect(taken.slice(1)).toEqual([[50]]);
  });

  it('is not taken in twice when something else took it', () => {
    const queue = made();
    queue.add(1);
    expect(queue.take()).toEqual([1]);
    queue.add(2);
    paint();
    vi.runAllTimers();
    expect(taken).toEqual([[2]]);
  });

  it('waits no longer than a tenth of a second for a paint', () => {
    const queue = made();
    queue.add(1);
    vi.advanceTimersByTime(100);
    expect(taken).toEqual([[1]]);
    paint();
    expect(taken).toEqual([[1]]);
  });

  it('is taken in at once in a page out of view', () => {
    page.visibilityState = 'hidden';
    const queue = made();
    queue.add(1);
    queue.add(2);
    expect(taken).toEqual([[1], [2]]);
  });
});

import { describe, expect, it } from 'vitest';
import { Heights, rowAt } from '../src/lib/heights';

const keys = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}` }));

describe('Heights', () => {
  it('of nothing are nothing', () => {
    expect([...new Heights(40).tops([])]).toEqual([0]);
  });

  it('are guessed before any is known', () => {
    expect([...new Heights(40).tops(keys(2))]).toEqual([0, 40, 80]);
  });

  it('that are unknown are the average of those known', () => {
    const heights = new Heights(40);
    heights.set('k0', 10);
    heights.set('k1', 30);
    expect([...heights.tops(keys(3))]).toEqual([0, 10, 40, 60]);
  });

  it('that are unknown are whole pixels', () => {
    const heights = new Heights(40);
    heights.set('k0', 10);
    heights.set('k1', 31);
    heights.set('k2', 30);
    expect([...heights.tops(keys(4))]).toEqual([0, 10, 41, 71, 95]);
  });

  it('measured anew replace the old', () => {
    const heights = new Heights(40);
    expect([heights.set('k0', 10), heights.set('k0', 10), heights.set('k0', 20)]).toEqual([true, false, true]);
    expect([...heights.tops(keys(2))]).toEqual([0, 20, 40]);
  });

  it('of rows long gone are forgotten', () => {
    const heights = new Heights(40);
    for (const { key } of keys(1300)) heights.set(key, 10);
    heights.set('k0', 90);
    heights.prune(keys(100).slice(1));
    expect([...heights.tops([{ key: 'k0' }, { key: 'k1' }])]).toEqual([0, 10, 20]);
  });
});

describe('The row at', () => {
  const tops = Float64Array.from([0, 10, 30, 60]);

  it.each([
    [-5, 0],
    [0, 0],
    [9.9, 0],
    [10, 1],
    [29, 1],
    [30, 2],
    [60, 2],
    [999, 2],
  ])('%f is %i', (y, row) => {
    expect(rowAt(tops, y)).toBe(row);
  });

  it('is the first of none', () => {
    expect(rowAt(Float64Array.from([0]), 5)).toBe(0);
  });
});

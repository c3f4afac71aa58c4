import { describe, expect, it } from 'vitest';
import { Liveness, TICK_MS } from '../src/lib/liveness';
import { Sleep, WATCH_MS } from '../src/lib/sleep';

/** Ticks as a browser gives them, until the connection is taken for dead; how long that took, or null after `most` ms. */
function untilDead(live: Liveness, from: number, { every = TICK_MS, most = 60_000 } = {}): number | null {
  for (let now = from + every; now <= from + most; now += every) if (live.tick(now)) return now - from;
  return null;
}

/** A probe whose answer takes as long as the link's round trip: whether the connection is taken for dead before it. */
function survives(live: Liveness, roundTrip: number, from = 0): boolean {
  live.begin(from, false);
  for (let now = from + TICK_MS; now < from + roundTrip; now += TICK_MS) if (live.tick(now)) return false;
  live.answered(from + roundTrip);
  return true;
}

describe('the deadline of a probe', () => {
  it.each([
    [0, 2_000],
    [100, 2_000],
    [499, 2_000],
    [1_000, 3_000],
    [6_000, 18_000],
    [60_000, 30_000],
  ])('after a round trip of %i ms it is %i ms', (roundTrip, wait) => {
    const live = new Liveness();
    live.connected(roundTrip);
    live.begin(0, false);
    expect(untilDead(live, 0)).toBe(wait);
  });

  it('counts the last round trip only', () => {
    const live = new Liveness();
    live.connected(6_000);
    expect(survives(live, 100)).toBe(true);
    live.begin(10_000, false);
    expect(untilDead(live, 10_000)).toBe(2_000);
  });

  it('is longer while a page of history loads', () => {
    const live = new Liveness();
    live.connected(100);
    live.begin(0, true);
    expect(untilDead(live, 0)).toBe(10_000);
  });

  it('starts again when something arrives, but not for ever', () => {
    const live = new Liveness();
    live.connected(100);
    live.begin(0, false);
    for (let now = TICK_MS; now < 1_500; now += TICK_MS) expect(live.tick(now)).toBe(false);
    live.received();
    expect(untilDead(live, 1_500 - TICK_MS)).toBe(2_000);

    live.lost();
    live.begin(0, false);
    let now = 0;
    do {
      live.received();
      now += TICK_MS;
    } while (!live.tick(now));
    expect(now).toBe(8_000);
  });
});

describe('a false alarm', () => {
  it('does not come of a link that is slow from the start', () => {
    const live = new Liveness();
    live.connected(6_000);
    for (let turn = 0; turn < 10; turn++) expect(survives(live, 6_000, turn * 60_000)).toBe(true);
  });

  it('does not come of a link that slows threefold each time', () => {
    const live = new Liveness();
    live.connected(500);
    for (const roundTrip of [1_500, 4_400, 9_000]) expect(survives(live, roundTrip)).toBe(true);
  });

  it('does not come of a main thread that was busy', () => {
    const live = new Liveness();
    live.connected(100);
    live.begin(0, false);
    expect(live.tick(250)).toBe(false);
    // The answer waits behind this timer, however long the thread was busy.
    expect(live.tick(30_000)).toBe(false);
    live.answered(30_001);
    // That time was not the link's.
    live.begin(40_000, false);
    expect(untilDead(live, 40_000)).toBe(2_000);
  });

  it('does not come of an unmeasured round trip', () => {
    const live = new Liveness();
    live.connected(6_000);
    live.begin(0, false);
    for (let now = 1_000; now < 6_000; now += 1_000) live.tick(now);
    live.answered(6_000);
    expect(survives(live, 6_000, 10_000)).toBe(true);
  });

  it.each([1_000, 60_000])('does not come of timers that fire every %i ms', (every) => {
    const live = new Liveness();
    live.connected(100);
    live.begin(0, false);
    expect(untilDead(live, 0, { every, most: 3_600_000 })).toBeNull();
    // Back in view: one timer that is on time decides.
    const now = 3_600_000;
    live.tick(now);
    expect(live.tick(now + TICK_MS)).toBe(true);
  });

  it('does not come of a clock set back or forward', () => {
    const live = new Liveness();
    live.connected(100);
    live.begin(1_000_000, false);
    expect(live.tick(0)).toBe(false);
    expect(live.tick(9_000_000)).toBe(false);
    expect(live.waited).toBeLessThan(1_000);
  });
});

describe('probes', () => {
  it('go one at a time', () => {
    const live = new Liveness();
    live.connected(100);
    expect([live.begin(0, false), live.begin(1, false), live.begin(500, false)]).toEqual([true, false, false]);
    live.answered(600);
    expect(live.begin(601, false)).toBe(true);
    live.lost();
    expect(live.begin(602, false)).toBe(true);
  });

  it('do not answer for a later connection', () => {
    const live = new Liveness();
    live.connected(100);
    live.begin(0, false);
    live.lost();
    live.answered(9_000);
    live.connected(100);
    live.begin(20_000, false);
    expect(untilDead(live, 20_000)).toBe(2_000);
  });

  it('follow a request unanswered for longer than a round trip', () => {
    const live = new Liveness();
    live.connected(100);
    expect(live.overdue).toBe(500);
    live.connected(6_000);
    expect(live.overdue).toBe(6_000);
  });
});

describe('an attempt to connect', () => {
  it('gets more time on each try', () => {
    const live = new Liveness();
    const ages = (age: number): boolean => live.mayRestart(age);
    expect([ages(3_999), ages(4_000)]).toEqual([false, true]);
    expect([ages(7_999), ages(8_000)]).toEqual([false, true]);
    expect([ages(15_999), ages(16_000)]).toEqual([false, true]);
    expect([ages(19_999), ages(20_000), ages(20_000)]).toEqual([false, true, true]);
    live.connected(100);
    expect(ages(4_000)).toBe(true);
  });

  it('succeeds over a slow link, however often the page is shown', () => {
    const live = new Liveness();
    const NEEDED = 3 * 4_000;
    let started = 0;
    let restarts = 0;
    let now = 0;
    for (; now - started < NEEDED && now < 120_000; now += 1_000) {
      if (!live.mayRestart(now - started)) continue;
      started = now;
      restarts += 1;
    }
    expect([restarts, now - started]).toEqual([2, NEEDED]);
  });
});

describe('a sleep', () => {
  it('shows in the clock; a busy or throttled second does not', () => {
    const sleep = new Sleep(0);
    expect(sleep.woke(WATCH_MS)).toBe(false);
    expect(sleep.woke(2 * WATCH_MS + 3_000)).toBe(false);
    expect(sleep.woke(3 * WATCH_MS + 3_600_000)).toBe(true);
    expect(sleep.woke(4 * WATCH_MS + 3_600_000)).toBe(false);
    expect(sleep.woke(0)).toBe(false);
    expect(new Sleep(0).woke(WATCH_MS + 20_000)).toBe(true);
  });
});

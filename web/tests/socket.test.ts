/**
 * How long a page takes until it is in its room again, on a clock of the test's own: after its connection died silently,
 * and after the server refused it.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pauseAfter } from '../src/lib/pause';
import type { Connection } from '../src/socket';
import { begin, reduce } from '../src/state/reduce';
import type { Happening, State } from '../src/state/types';
import { bar } from '../src/state/view';
import type { ServerFrame } from '../src/wire';
import { greeting } from './help';

/** Just under the longest round trip for which four seconds are promised. */
const ROUND_TRIP_MS = 480;
/** Longer than the shortest time that the page waits for an answer. */
const SLOW_ROUND_TRIP_MS = 2_200;
let roundTrip = ROUND_TRIP_MS;
/** Until a message counts as unanswered: the four seconds begin there. */
const OVERDUE_MS = 500;
const OPENING = `0${JSON.stringify({ sid: 's', upgrades: [], pingInterval: 60_000, pingTimeout: 60_000, maxPayload: 1_000_000 })}`;

/** How often all connections have died: those made before pass nothing more. */
let deaths = 0;

/** Do something round trips from now, over a connection that may die meanwhile. */
function after(roundTrips: number, then: () => void): void {
  const before = deaths;
  setTimeout(() => deaths === before && then(), roundTrips * roundTrip);
}

/** Where the server refuses the page, and for how many seconds. */
let refuses: { at: 'handshake' | 'joining'; seconds: number } | null = null;
/** when the page came to where it is refused */
let tries: number[] = [];

function isRefused(at: 'handshake' | 'joining'): boolean {
  if (refuses?.at !== at) return false;
  tries.push(performance.now());
  return true;
}

/** What the server answers to a packet. */
function answers(packet: string): string[] {
  if (packet.startsWith('40') && isRefused('joining')) {
    return [`44${JSON.stringify({ message: 'no', data: { code: 'rate_limited', retry_after: refuses!.seconds } })}`];
  }
  if (packet.startsWith('40')) return ['40{"sid":"s"}', `42${JSON.stringify(['msg', greeting()])}`];
  const asked = /^42(\d+)\[/.exec(packet);
  return asked ? [`43${asked[1]}[{"ok":true}]`] : [];
}

class FarSocket {
  static works = true;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onerror?: (event: unknown) => void;
  readonly #death = deaths;

  constructor() {
    // One for TCP, one for the upgrade.
    after(2, () => {
      if (!FarSocket.works || refuses?.at === 'handshake') return this.onerror?.({});
      this.onopen?.();
      this.onmessage?.({ data: OPENING });
    });
  }

  send(packet: string): void {
    if (this.#death === deaths) after(1, () => answers(packet).forEach((data) => this.onmessage?.({ data })));
  }

  close(): void {}
}

/** Long polling to the same server; a dead session's requests hang until they are dropped. */
class FarPolling {
  #queue: string[] = [];
  #poll: ((packets: string[]) => void) | null = null;
  #death = deaths;

  readonly fetch = (address: URL | string, { method = 'GET', body = '', signal }: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const abort = (): void => reject(new Error('aborted'));
      signal?.addEventListener('abort', abort);
      const answer = (text: string, roundTrips: number): void =>
        after(roundTrips, () => {
          signal?.removeEventListener('abort', abort);
          resolve(new Response(text));
        });
      if (method === 'HEAD') answer('', 2);
      else if (!String(address).includes('sid=') && isRefused('handshake')) {
        const refusal = new Response('{}', { status: 429, headers: { 'Retry-After': String(refuses!.seconds) } });
        after(1, () => resolve(refusal));
      } else if (!String(address).includes('sid=')) {
        this.#death = deaths;
        this.#queue = [];
        answer(OPENING, 1);
      } else if (this.#death !== deaths) return;
      else if (method === 'POST') {
        answer('ok', 1);
        after(0.5, () => this.#send(String(body).split('\x1e').flatMap(answers)));
      } else {
        this.#poll = (packets) => answer(packets.join('\x1e'), 0.5);
        after(0.5, () => this.#send([]));
      }
    });

  #send(packets: string[]): void {
    this.#queue.push(...packets);
    if (!this.#poll || this.#queue.length === 0) return;
    this.#poll(this.#queue.splice(0));
    this.#poll = null;
  }
}

beforeEach(() => {
  refuses = null;
  tries = [];
  vi.useFakeTimers();
  // Engine.IO takes the browser's WebSocket when it is loaded.
  vi.resetModules();
  vi.stubGlobal('WebSocket', FarSocket);
  vi.stubGlobal('fetch', new FarPolling().fetch);
});

afterEach(() => {
  roundTrip = ROUND_TRIP_MS;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Let time pass until something is so; gives how long that took. */
async function passes(until: () => boolean): Promise<number> {
  const from = performance.now();
  while (!until() && performance.now() - from < 120_000) await vi.advanceTimersByTimeAsync(10);
  expect(until()).toBe(true);
  return performance.now() - from;
}

/** A page is opened. */
async function opens(): Promise<{ line: Connection; state: () => State }> {
  const { connect } = await import('../src/socket');
  let state: State = begin('lobby', null, Date.now());
  const happens = (happening: Happening): void => void (state = reduce(state, { ...happening, now: Date.now() }));
  const line = connect(new URL('http://chat.example/'), {
    auth: () => ({ v: 1, roster: 'delta', lang: 'en', room: 'lobby' }),
    frame: (frame: ServerFrame) => happens({ type: 'frame', frame }),
    cut: (since) => happens({ type: 'cut', since }),
    wait: (until) => happens({ type: 'wait', until }),
    shut: (why) => happens({ type: 'shut', why }),
  });
  return { line, state: () => state };
}

/** A page that joins over this transport and is in its room. */
async function page(transport: string): Promise<{ line: Connection; state: () => State }> {
  FarSocket.works = transport === 'websocket';
  const opened = await opens();
  await passes(() => opened.state().link.at === 'here');
  return opened;
}

describe.each(['websocket', 'polling'])('Over %s, a dead connection', (transport) => {
  it.each(['the page is shown', 'a message is unanswered'])('is replaced within four seconds when %s', async (sign) => {
    const { line, state } = await page(transport);
    await vi.advanceTimersByTimeAsync(40_000);
    deaths += 1;
    if (sign === 'the page is shown') line.check(false);
    else {
      void line.ask({ action: 'message', msg: 'x', cid: 'c' });
      await vi.advanceTimersByTimeAsync(OVERDUE_MS);
    }
    const noticed = await passes(() => state().link.at === 'away');
    expect(bar(state())).toEqual({ code: 'reconnecting' });
    const back = await passes(() => state().link.at === 'here');
    expect(bar(state())).toEqual({ code: 'back', count: 0 });
    expect(noticed + back).toBeLessThan(4_000);
  });
});

describe.each(['websocket', 'polling'])('Over %s, a slow link', (transport) => {
  it('keeps its connection, however often it is checked', async () => {
    roundTrip = SLOW_ROUND_TRIP_MS;
    const { line, state } = await page(transport);
    for (let turn = 0; turn < 2; turn++) {
      line.check(false);
      line.check(true);
      const answer = line.ask({ action: 'message', msg: 'x', cid: `c${turn}` });
      await vi.advanceTimersByTimeAsync(3 * SLOW_ROUND_TRIP_MS);
      expect(await answer).toMatchObject({ ok: true });
      expect(state().link.at).toBe('here');
    }
  });
});

describe.each(['handshake', 'joining'] as const)('A page that is refused at the %s', (at) => {
  it('comes back when the server says', async () => {
    refuses = { at, seconds: 20 };
    const { state } = await opens();
    await passes(() => tries.length === 2);
    const pause = tries[1]! - tries[0]!;
    expect(pause).toBeGreaterThan(20_000);
    expect(pause).toBeLessThan(25_000);
    expect(state().refusedUntil).toBeGreaterThan(0);
    expect(state().link.at).toBe('opening');
    refuses = null;
    await passes(() => state().link.at === 'here');
  });

  it('tries again at once on another network only', async () => {
    refuses = { at, seconds: 300 };
    const { line, state } = await opens();
    await passes(() => state().refusedUntil > 0);
    refuses = null;
    line.check(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(state().link.at).toBe('opening');
    line.check(true);
    expect(await passes(() => state().link.at === 'here')).toBeLessThan(10_000);
  });
});

it('A request that failed is repeated after the pause that the server asks for', () => {
  const refused = (more: object) => pauseAfter({ ok: false, code: 'rate_limited', msg: '', ...more });
  expect([refused({ retry_after: 7.5 }), refused({ retry_after: 0.1 }), refused({}), pauseAfter(null)]).toEqual([7_500, 2_000, 2_000, 2_000]);
});

/**
 * The one file that makes a socket. It knows Socket.IO's ways of failing and turns each into one of the few things that
 * can befall a page; what follows from them is not its concern.
 */

import { WebSocket } from 'engine.io-client';
import { Manager, type Socket } from 'socket.io-client';
import { Liveness, TICK_MS } from './lib/liveness';
import { Polling, renewConnections } from './lib/polling';
import type { Shut } from './state/types';
import type { Ack, Auth, ClientEvents, ClientFrame, ServerEvents, ServerFrame } from './wire';

/** How long an answer is waited for before its outcome counts as unknown. */
const ACK_MS = 10_000;

export interface Line {
  /** Ask for something; the answer is null if nobody knows whether it was done. */
  ask(frame: ClientFrame): Promise<Ack | null>;
  /** Check the connection now: probe the one there is, or reconnect before the pause is over. */
  check(isNetworkNew: boolean): void;
  /** Connect again with what `auth` gives now. */
  again(): void;
}

export interface Ears {
  auth(): Auth;
  frame(frame: ServerFrame): void;
  /** The connection is gone, and has been since then (milliseconds since 1970). */
  cut(since: number): void;
  shut(why: Shut, text: string): void;
}

interface Refused extends Error {
  data?: { code?: string };
  /** of a transport that failed: over polling the HTTP status */
  description?: unknown;
}

const REFUSALS: Readonly<Record<string, Shut>> = {
  room_full: 'room_full',
  room_locked: 'room_locked',
  banned: 'banned',
  room_invalid: 'room_invalid',
  origin_refused: 'origin',
};

/** Codes that pass by themselves: the page goes on trying. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'rate_limited']);
const PASSING_MS = 2_000;

/** Over polling, the status tells an unwanted origin from a server that is away. */
function isOriginRefused(problem: Refused): boolean {
  return problem.description === 403;
}

export function connect(base: URL, ears: Ears): Line {
  const manager = new Manager<ServerEvents, ClientEvents>(base.origin, {
    path: new URL('socket.io/', base).pathname,
    transports: [WebSocket, Polling],
    // Where a proxy knows nothing of WebSockets, polling is tried in the same breath.
    tryAllTransports: true,
    reconnectionDelay: 400,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.5,
  });
  const socket: Socket<ServerEvents, ClientEvents> = manager.socket('/', { auth: (give) => give({ ...ears.auth() }) });
  let later: ReturnType<typeof setTimeout> | undefined;

  const live = new Liveness();
  const clock = (): number => performance.now();
  let ticking: ReturnType<typeof setInterval> | undefined;
  /** pages of history on their way */
  let loading = 0;
  let openedAt = 0;
  /** counts what else was decided while a restart waited */
  let turn = 0;
  /** when the attempt to get into the room began; null if none is under way */
  let attemptAt: number | null = Date.now();

  /** Ask the server for an answer. Any will do: one that does not know `ping` says so. */
  function probe(): void {
    if (!socket.connected || attemptAt !== null || !live.begin(clock(), loading > 0)) return;
    ticking = setInterval(() => {
      if (live.tick(clock())) void restart();
    }, TICK_MS);
    socket.emit('msg', { action: 'ping' }, () => {
      clearInterval(ticking);
      live.answered(clock());
    });
  }

  /**
   * Drop the connection or the attempt and start again. Closing Socket.IO's engine would first wait for what a dead
   * connection still has to send, and then for the pause between attempts.
   */
  async function restart(): Promise<void> {
    const { transport } = socket.io.engine;
    socket.disconnect();
    attemptAt = Date.now();
    if (transport instanceof Polling) {
      const mine = ++turn;
      transport.drop();
      // What did not pass before is tried again behind what does.
      socket.io.opts.transports = [Polling, WebSocket];
      await renewConnections(new URL('healthz', base), live.wait);
      if (mine !== turn) return;
    }
    socket.connect();
  }

  const over = (): void => {
    attemptAt = null;
  };
  socket.io.on('reconnect_attempt', () => (attemptAt = Date.now()));
  socket.io.on('error', over);
  socket.io.on('close', over);
  socket.io.on('open', () => {
    openedAt = clock();
    socket.io.engine.on('packet', () => live.heard());
  });
  socket.on('connect', () => live.connected(clock() - openedAt));

  socket.on('msg', (frame) => {
    if (typeof frame !== 'object' || frame === null) return;
    if (frame.action === 'login' && frame.you) over();
    ears.frame(frame);
  });
  socket.on('disconnect', (reason) => {
    ears.cut(Date.now() - live.waited);
    clearInterval(ticking);
    live.lost();
    // The callers repeat what waits for the next connection, so it must not be sent as well.
    socket.sendBuffer = [];
    // The server ended it on purpose: the notice before it said why. Without one it is as if one had left.
    if (reason === 'io server disconnect') ears.shut('left', '');
  });
  socket.on('connect_error', (problem: Refused) => {
    const code = problem.data?.code;
    if (code === undefined) {
      if (!isOriginRefused(problem)) return;
      socket.disconnect();
      ears.shut('origin', problem.message);
      return;
    }
    if (PASSING.has(code)) {
      clearTimeout(later);
      later = setTimeout(() => {
        attemptAt = Date.now();
        socket.connect();
      }, PASSING_MS);
      return;
    }
    ears.shut(REFUSALS[code] ?? 'refused', problem.message);
  });

  return {
    ask(frame) {
      if (!socket.connected) return Promise.resolve(null);
      const isLoading = frame.action === 'history';
      if (isLoading) loading += 1;
      const overdue = isLoading ? undefined : setTimeout(probe, live.overdue);
      return new Promise((resolve) => {
        socket.timeout(Math.max(ACK_MS, live.wait)).emit('msg', frame, (problem: Error | null, answer: Ack) => {
          clearTimeout(overdue);
          if (isLoading) loading -= 1;
          resolve(problem || typeof answer !== 'object' || answer === null ? null : answer);
        });
      });
    },
    check(isNetworkNew) {
      // After a deliberate end, and while a refused connection waits for its turn, there is nothing to hurry.
      if (!socket.active) return;
      if (attemptAt !== null) {
        // On a slow link an attempt takes long: looking at the page must not restart it.
        if (isNetworkNew || live.mayRestart(Date.now() - attemptAt)) void restart();
      } else if (socket.connected) probe();
      else void restart();
    },
    again() {
      // An attempt that is under way asks for it only when it gets through.
      if (socket.active && socket.io.engine.readyState === 'opening') return;
      turn += 1;
      clearTimeout(later);
      socket.disconnect();
      attemptAt = Date.now();
      socket.connect();
    },
  };
}

/**
 * The only file that opens a socket. It knows how Socket.IO fails, and turns each failure into one of a few calls of
 * `Handlers`. What follows from them is decided elsewhere.
 */

import { WebSocket } from 'engine.io-client';
import { Manager, type Socket } from 'socket.io-client';
import { Liveness, TICK_MS } from './lib/liveness';
import { type Attempt, Polling, renewConnections } from './lib/polling';
import type { Shut } from './state/types';
import type { Ack, Auth, ClientEvents, ClientFrame, ServerEvents, ServerFrame } from './wire';

/** How long to wait for an answer; after that, the outcome is unknown. */
const ACK_MS = 10_000;

export interface Connection {
  /** Send a request; the answer is null if it is unknown whether it was done. */
  ask(frame: ClientFrame): Promise<Ack | null>;
  /** Check the connection now: probe it or, if there is none, reconnect at once. */
  check(isNetworkNew: boolean): void;
  /** Connect again, with what `auth` returns now. */
  again(): void;
}

export interface Handlers {
  auth(): Auth;
  frame(frame: ServerFrame): void;
  /** The connection is gone, and has been since then (milliseconds since 1970). */
  cut(since: number): void;
  /** The server refuses the page until then (milliseconds since 1970). */
  wait(until: number): void;
  shut(why: Shut): void;
}

interface Refused extends Error {
  data?: { code?: Shut; retry_after?: number };
}

/** Codes of temporary refusals: the page tries again. */
const PASSING = /^(?:unavailable|rate_limited)$/;
const PASSING_MS = 2_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Spreads the attempts of pages that were refused together. */
const SPREAD_MS = 2_000;

export function connect(base: URL, handlers: Handlers): Connection {
  const manager = new Manager<ServerEvents, ClientEvents>(base.origin, {
    path: new URL('socket.io/', base).pathname,
    transports: [WebSocket, Polling],
    // If a proxy does not forward WebSockets, polling is tried at once.
    tryAllTransports: true,
    reconnectionDelay: 400,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.5,
  });
  const socket: Socket<ServerEvents, ClientEvents> = manager.socket('/', { auth: (give) => give({ ...handlers.auth() }) });
  let later: ReturnType<typeof setTimeout> | undefined;

  const live = new Liveness();
  const clock = (): number => performance.now();
  let ticking: ReturnType<typeof setInterval> | undefined;
  /** pages of history that are being loaded */
  let loading = 0;
  let openedAt = 0;
  /** counts reconnects, so that a restart that waited notices a newer one */
  let turn = 0;
  /** when the attempt to join began; null if none is under way */
  let attemptAt: number | null = Date.now();

  /** Ask the server for any answer: an old server that refuses `ping` answers too. */
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
   * Drop the connection, or the attempt to connect, and start again. Socket.IO's own close would first wait for a dead
   * connection to send the rest, and then for the pause between attempts.
   */
  async function restart(): Promise<void> {
    const { transport } = socket.io.engine;
    socket.disconnect();
    attemptAt = Date.now();
    if (transport instanceof Polling) {
      const mine = ++turn;
      transport.drop();
      // Polling works here, so it is tried first, and WebSocket after it.
      socket.io.opts.transports = [Polling, WebSocket];
      await renewConnections(new URL('healthz', base), live.wait);
      if (mine !== turn) return;
    }
    socket.connect();
  }

  function retry(): void {
    clearTimeout(later);
    later = undefined;
    attemptAt = Date.now();
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
    socket.io.engine.on('packet', () => live.received());
  });
  socket.on('connect', () => live.connected(clock() - openedAt));

  socket.on('msg', (frame) => {
    if (typeof frame !== 'object' || frame === null) return;
    if (frame.action === 'login' && frame.you) over();
    handlers.frame(frame);
  });
  socket.on('disconnect', (reason) => {
    handlers.cut(Date.now() - live.waited);
    clearInterval(ticking);
    live.lost();
    // The callers repeat what is unsent, so Socket.IO must not send it too.
    socket.sendBuffer = [];
    // The server ended it on purpose, and a notice before it said why. Without a notice, the user counts as having left.
    if (reason === 'io server disconnect') handlers.shut('left');
  });
  socket.on('connect_error', ({ data }: Refused) => {
    // Over polling, the answer shows whether the server refuses the page or cannot be reached.
    const { refusal } = socket.io.engine as Attempt;
    const code = data?.code ?? (refusal?.status === 403 ? 'origin' : undefined);
    const seconds = Number(data?.retry_after ?? refusal?.headers.get('retry-after'));
    if (code === undefined && !(seconds > 0)) return;
    socket.disconnect();
    if (code !== undefined && !PASSING.test(code)) return handlers.shut(code);
    let pause = PASSING_MS;
    if (seconds > 0) {
      pause = Math.min(seconds * 1000, LONGEST_PAUSE_MS) + Math.random() * SPREAD_MS;
      handlers.wait(Date.now() + pause);
    }
    clearTimeout(later);
    later = setTimeout(retry, pause);
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
      // After a deliberate end, or while a refused connection waits to try again, there is nothing to check.
      if (!socket.active) {
        // On another network, the page has another address.
        if (isNetworkNew && later) retry();
        return;
      }
      if (attemptAt !== null) {
        // On a slow link, an attempt takes long: it must not restart just because the page comes into view.
        if (isNetworkNew || live.mayRestart(Date.now() - attemptAt)) void restart();
      } else if (socket.connected) probe();
      else void restart();
    },
    again() {
      // An attempt that is still opening calls `auth` only later.
      if (socket.active && socket.io.engine.readyState === 'opening') return;
      turn += 1;
      socket.disconnect();
      retry();
    },
  };
}

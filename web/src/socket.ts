/**
 * The one file that makes a socket. It knows Socket.IO's ways of failing and turns each into one of the few things that
 * can befall a page; what follows from them is not its concern.
 */

import { io, type Socket } from 'socket.io-client';
import type { Shut } from './state/types';
import type { Ack, Auth, ClientEvents, ClientFrame, ServerEvents, ServerFrame } from './wire';

/** How long an answer is waited for before its outcome counts as unknown. */
const ACK_MS = 10_000;

export interface Line {
  /** Ask for something; the answer is null if nobody knows whether it was done. */
  ask(frame: ClientFrame): Promise<Ack | null>;
  /** Come back now instead of when the pause is over. */
  hurry(): void;
  /** Begin again after an end that was meant to last. */
  open(): void;
  close(): void;
}

export interface Ears {
  auth(): Auth;
  frame(frame: ServerFrame): void;
  cut(): void;
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
  const socket: Socket<ServerEvents, ClientEvents> = io(base.origin, {
    path: new URL('socket.io/', base).pathname,
    transports: ['websocket', 'polling'],
    // Where a proxy knows nothing of WebSockets, polling is tried in the same breath.
    tryAllTransports: true,
    reconnectionDelay: 400,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.5,
    auth: (give) => give({ ...ears.auth() }),
  });
  let later: ReturnType<typeof setTimeout> | undefined;

  socket.on('msg', (frame) => {
    if (typeof frame === 'object' && frame !== null) ears.frame(frame);
  });
  socket.on('disconnect', (reason) => {
    ears.cut();
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
      later = setTimeout(() => socket.connect(), PASSING_MS);
      return;
    }
    ears.shut(REFUSALS[code] ?? 'refused', problem.message);
  });

  return {
    ask(frame) {
      if (!socket.connected) return Promise.resolve(null);
      return new Promise((resolve) => {
        socket.timeout(ACK_MS).emit('msg', frame, (problem: Error | null, answer: Ack) => {
          resolve(problem || typeof answer !== 'object' || answer === null ? null : answer);
        });
      });
    },
    hurry() {
      // `active` is false after an end on purpose, and while a refused connection waits for its turn.
      if (!socket.connected && socket.active) socket.disconnect().connect();
    },
    open() {
      clearTimeout(later);
      socket.connect();
    },
    close() {
      clearTimeout(later);
      socket.disconnect();
    },
  };
}

/** How long to wait after a request that failed. */

import type { Ack } from '../wire';

const LEAST_MS = 2_000;

/** As long as the server says, and at least two seconds; in milliseconds. */
export function pauseAfter(ack: Ack | null): number {
  return Math.max(LEAST_MS, (ack?.ok === false && ack.retry_after ? ack.retry_after : 0) * 1000);
}

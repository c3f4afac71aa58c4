/** Notices that the computer slept. */

/** How often `woke` is to be called. */
export const WATCH_MS = 5_000;
const SLEPT_MS = 10_000;

export class Sleep {
  #before: number;

  constructor(now: number) {
    this.#before = now;
  }

  /** Whether timers stopped since the last call, as in a computer that slept. `now` comes from a clock that did not stop. */
  woke(now: number): boolean {
    const before = this.#before;
    this.#before = now;
    return now - before >= WATCH_MS + SLEPT_MS;
  }
}

/** Call `woken` each time that the computer wakes up and the page is in view. */
export function watchSleep(woken: () => void): void {
  const sleep = new Sleep(Date.now());
  setInterval(() => {
    if (sleep.woke(Date.now()) && document.visibilityState === 'visible') woken();
  }, WATCH_MS);
}

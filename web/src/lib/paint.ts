/** What comes between two paints is taken in together: a burst costs as much as one. */

/** The browser paints no page that is covered or scrolled out of view, even if it calls it visible. */
const LATEST_MS = 100;

export class PaintQueue<T> {
  #waiting: T[] = [];

  /** @param ready something waits, and the next paint is near: take it */
  constructor(private readonly ready: () => void) {}

  add(one: T): void {
    if (this.#waiting.push(one) > 1) return;
    if (document.visibilityState !== 'visible') return this.ready();
    const run = (): void => {
      cancelAnimationFrame(paint);
      clearTimeout(latest);
      if (this.#waiting.length > 0) this.ready();
    };
    const paint = requestAnimationFrame(run);
    const latest = setTimeout(run, LATEST_MS);
  }

  /** All that waits, oldest first; it waits no longer. */
  take(): T[] {
    return this.#waiting.splice(0);
  }
}

/**
 * Where the rows of a long list stand: heights that were measured, an average for those that were not, and the sums.
 * Arithmetic only; who measures and who scrolls is the list's concern.
 */

export class Heights {
  #known = new Map<string, number>();
  #total = 0;

  /** `guess`: the height of a row before any was measured, in pixels */
  constructor(readonly guess: number) {}

  /** Take a measurement; false if it says nothing new. */
  set(key: string, height: number): boolean {
    const before = this.#known.get(key);
    if (before !== undefined && Math.abs(before - height) < 0.01) return false;
    this.#known.set(key, height);
    this.#total += height - (before ?? 0);
    return true;
  }

  /** The top of each row from the top of the list, and as the last the height of all. */
  tops(keys: readonly { key: string }[]): Float64Array {
    // In whole pixels: the view cannot be put at a part of one, so each row that is measured would move the others by it.
    const average = Math.round(this.#known.size > 0 ? this.#total / this.#known.size : this.guess);
    const tops = new Float64Array(keys.length + 1);
    for (let index = 0; index < keys.length; index++) {
      tops[index + 1] = tops[index]! + (this.#known.get(keys[index]!.key) ?? average);
    }
    return tops;
  }

  /** Forget what is not in the list any more, once that is most of what is known. */
  prune(keys: readonly { key: string }[]): void {
    if (this.#known.size < 2 * keys.length + 1000) return;
    const kept = new Set(keys.map((one) => one.key));
    for (const [key, height] of this.#known) {
      if (kept.has(key)) continue;
      this.#known.delete(key);
      this.#total -= height;
    }
  }
}

/** The row that covers `y`, from the tops of all; the first or the last if none does. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(low, 0);
}

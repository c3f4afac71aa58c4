/**
 * Whether the connection is alive: how long to wait for the answer to a probe, and when to give up.
 * Pure: the time comes with each call, in milliseconds of any one clock; nothing is sent and no timer is set.
 */

/** How often `tick` is to be called while a probe is under way. */
export const TICK_MS = 250;

const LEAST_WAIT_MS = 2_000;
const ROUND_TRIPS = 3;
/** How long a page of history may take over a slow link; the answer comes after it. */
const LOADING_WAIT_MS = 10_000;
const LONGEST_ROUND_TRIP_MS = 10_000;
/** The limit for a connection that brings messages but never the answer. */
const MOST_WAITS = 4;
const OVERDUE_MS = 500;
/** How long Socket.IO gives an attempt to connect. */
const LONGEST_ATTEMPT_MS = 20_000;

interface Probe {
  /** the last tick */
  then: number;
  waited: number;
  waitedSinceHeard: number;
  /** a tick was late, so the round trip is unknown */
  disturbed: boolean;
  limit: number;
}

export class Liveness {
  #roundTrip = 0;
  #probe: Probe | null = null;
  #restarts = 0;

  /** How long to wait for an answer. */
  get wait(): number {
    return Math.max(LEAST_WAIT_MS, ROUND_TRIPS * this.#roundTrip);
  }

  /** How long a request may be unanswered before there is reason to probe. */
  get overdue(): number {
    return Math.max(OVERDUE_MS, this.#roundTrip);
  }

  /** How long the current probe has waited. */
  get waited(): number {
    return this.#probe?.waited ?? 0;
  }

  /** The connection is open; this is its first round trip. */
  connected(roundTrip: number): void {
    this.#roundTrip = Math.min(Math.max(roundTrip, 0), LONGEST_ROUND_TRIP_MS);
    this.#probe = null;
    this.#restarts = 0;
  }

  /** The connection is gone, and with it any answer. */
  lost(): void {
    this.#probe = null;
  }

  /** Begin a probe, unless one is under way; `loading`: its answer stands after a page of history. */
  begin(now: number, loading: boolean): boolean {
    if (this.#probe !== null) return false;
    const limit = Math.max(this.wait, loading ? LOADING_WAIT_MS : 0);
    this.#probe = { then: now, waited: 0, waitedSinceHeard: 0, disturbed: false, limit };
    return true;
  }

  /** Something came over the connection: the answer may stand after much else. */
  received(): void {
    if (this.#probe !== null) this.#probe.waitedSinceHeard = 0;
  }

  /** The probe was answered. */
  answered(now: number): void {
    if (this.#probe === null) return;
    const onTime = this.#count(this.#probe, now);
    const { disturbed, waited } = this.#probe;
    this.connected(onTime && !disturbed ? waited : this.#roundTrip);
  }

  /** Whether the probe's deadline has passed. */
  tick(now: number): boolean {
    const probe = this.#probe;
    // What arrived while the page was busy or its timers were held back is handled only after this tick.
    if (probe === null || !this.#count(probe, now)) return false;
    return probe.waitedSinceHeard >= probe.limit || probe.waited >= MOST_WAITS * probe.limit;
  }

  /** Whether to give up an attempt to connect of this age for a new one. Each attempt gets twice as long as the last. */
  mayRestart(age: number): boolean {
    const patience = 2 * this.wait * 2 ** this.#restarts;
    if (age < Math.min(patience, LONGEST_ATTEMPT_MS)) return false;
    this.#restarts += 1;
    return true;
  }

  /** Count the time since the last tick, at most one tick. Returns whether the tick was on time. */
  #count(probe: Probe, now: number): boolean {
    const passed = now - probe.then;
    const onTime = passed >= 0 && passed < 2 * TICK_MS;
    const counted = onTime ? passed : TICK_MS;
    probe.disturbed ||= !onTime;
    probe.then = now;
    probe.waited += counted;
    probe.waitedSinceHeard += counted;
    return onTime;
  }
}

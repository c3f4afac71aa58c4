/**
 * The browser's address and history: an entry for each room that the user was in, which Back and Forward lead to.
 * It knows neither the connection nor the state; it calls `go` to change rooms.
 */

import { LOBBY, isSameRoom, pathOf, roomIn } from './lib/places';

/** `sheet`: the browser is on its way back from the history entry of a sheet that was closed. */
export const leaving = { sheet: false };

/** Whether the current history entry is that of a sheet, which Back closes. */
export function isOfSheet(): boolean {
  return (history.state as { sheet?: boolean } | null)?.sheet === true;
}

export class Address {
  /** Back or Forward leads to another room, and the page follows */
  #following = false;
  /** the address changes once the browser is back from a sheet's entry */
  #isBehind = false;

  readonly #root: string;
  readonly #current: () => string;
  readonly #go: (room: string) => Promise<void>;

  /**
   * @param root the path of the lobby
   * @param current the room that the page is in
   * @param go join a room; it resolves when that is done or has failed
   */
  constructor(root: string, current: () => string, go: (room: string) => Promise<void>) {
    this.#root = root;
    this.#current = current;
    this.#go = go;
    // The lobby has one address, however it was spelled.
    if (isSameRoom(this.room, LOBBY)) history.replaceState(history.state, '', root);
    addEventListener('popstate', () => {
      const isBehind = this.#isBehind;
      this.#isBehind = leaving.sheet = false;
      if (isBehind) this.show();
      else void this.#follow();
    });
  }

  /** The room in the address. */
  get room(): string {
    return roomIn(location.pathname, this.#root);
  }

  /** Put the current room's address into the browser. */
  show(): void {
    if (this.#following) return;
    if (leaving.sheet) {
      // The browser is about to leave the sheet's entry, so the address must not go there.
      this.#isBehind = true;
      return;
    }
    const path = pathOf(this.#current(), this.#root);
    // The room may be spelled differently in the address; and an open sheet has an entry already.
    if (isOfSheet() || isSameRoom(this.room, this.#current())) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
  }

  /** Go to the room in the address, however often that changes meanwhile. */
  async #follow(): Promise<void> {
    if (this.#following) return;
    this.#following = true;
    let reached = this.#current();
    while (!isSameRoom(this.room, reached)) {
      reached = this.room;
      await this.#go(reached);
    }
    this.#following = false;
    // A `/join` typed meanwhile is newer, so it wins.
    if (!isSameRoom(this.room, this.#current())) this.show();
  }
}

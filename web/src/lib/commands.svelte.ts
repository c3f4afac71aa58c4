/** The server's table of commands, fetched when the user first types a slash. */

import type { Command } from '../wire';
import { base } from './places';

class Commands {
  table: readonly Command[] = $state.raw([]);
  #asked = false;

  fetch(): void {
    if (this.#asked) return;
    this.#asked = true;
    fetch(new URL('commands.json', base()))
      .then((answer) => (answer.ok ? answer.json() : []))
      .then((table: Command[]) => (this.table = table))
      .catch(() => {
        // Not available just now: the next slash tries again.
        this.#asked = false;
      });
  }
}

export const commands = new Commands();

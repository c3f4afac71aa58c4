/** Light, dark, or like the system; boot.js applies the choice before the first paint, this from then on. */

import { keep, recall } from './store';

export type Theme = 'auto' | 'light' | 'dark';

function read(): Theme {
  const kept = recall('localStorage', 'theme');
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

class Look {
  theme: Theme = $state(read());
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    this.#dark.addEventListener('change', () => this.#apply());
  }

  wear(theme: Theme): void {
    this.theme = theme;
    keep('localStorage', 'theme', theme === 'auto' ? null : theme);
    this.#apply();
  }

  #apply(): void {
    const system = this.#dark.matches ? 'dark' : 'light';
    document.documentElement.dataset['theme'] = this.theme === 'auto' ? system : this.theme;
  }
}

export const look = new Look();

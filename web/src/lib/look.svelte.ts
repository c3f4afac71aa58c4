/** Light, dark, or like the system; boot.js applies the choice before the first paint. */

import { keep, recall } from './store';

export type Theme = 'auto' | 'light' | 'dark';

function read(): Theme {
  const kept = recall('localStorage', 'theme');
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

class Look {
  theme: Theme = $state(read());

  wear(theme: Theme): void {
    this.theme = theme;
    keep('localStorage', 'theme', theme === 'auto' ? null : theme);
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }
}

export const look = new Look();

/**
 * What the browser stores: for this tab (token, drafts, own messages) and for this chatroom (language, theme, notifications).
 * Storage may be forbidden: then nothing is stored, and nothing breaks.
 */

import { base } from './places';

type Area = 'sessionStorage' | 'localStorage';

/** Two chatrooms may live under one origin, at different paths. */
const named = (key: string): string => `chatroom:${base().pathname}:${key}`;

export function recall(area: Area, key: string): string | null {
  try {
    return window[area].getItem(named(key));
  } catch {
    return null;
  }
}

export function keep(area: Area, key: string, value: string | null): void {
  try {
    if (value === null) window[area].removeItem(named(key));
    else window[area].setItem(named(key), value);
  } catch {
    // Forbidden or full: the page works without it.
  }
}

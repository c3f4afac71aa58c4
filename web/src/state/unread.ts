/** What the user has not seen: counted, and where the line above it is drawn. */

import type { State } from './types';

/** A message of someone else is at the end of the list: it is seen at once, or counted. */
export function arrived(before: State, key: string, personal: boolean): State {
  const state = { ...before, received: before.received + 1 };
  if (state.atBottom && state.visible) return state.unread === 0 && state.lineAt !== null ? { ...state, lineAt: null } : state;
  return {
    ...state,
    unread: state.unread + 1,
    mentions: state.mentions + (personal ? 1 : 0),
    lineAt: state.unread === 0 || state.lineAt === null ? key : state.lineAt,
  };
}

/** Several messages came at once, such as a page of what was missed. */
export function unreadBy(state: State, added: number, fresh: string | null): State {
  if (added === 0) return state;
  const lineAt = state.unread === 0 && fresh !== null ? fresh : state.lineAt;
  const unread = state.atBottom && state.visible ? state.unread : state.unread + added;
  return { ...state, lineAt, unread, received: state.received + added };
}

/** The user sees the end of the list: nothing is unread any more. */
export function markRead(state: State): State {
  return state.atBottom && state.visible && (state.unread > 0 || state.mentions > 0) ? { ...state, unread: 0, mentions: 0 } : state;
}

/** The page's state, and its events. Only types: the rules are in the files beside this one. */

import type { Ack, Entry, Refusal, ServerFrame } from '../wire';

interface Placed {
  /** stays the same for as long as the row is shown */
  key: string;
  /** its place: ids of messages compare as text; a row without an id comes after the message that it followed */
  at: string;
  /** milliseconds since 1970 */
  time: number;
}

/** sending: not acknowledged yet; failed: not sent again by itself; said: acknowledged, or from others */
export type Fate = 'said' | 'sending' | 'failed';

export interface Said extends Placed {
  kind: 'said';
  id: string | null;
  cid: string | null;
  name: string;
  /** the writer's session; empty for messages from the log, where it is unknown */
  sid: string;
  text: string;
  mine: boolean;
  fate: Fate;
  /** why it failed */
  refusal: Refusal | null;
  /** the id of a stored message that is probably this one, whose ack was lost */
  copy?: string | undefined;
  /** it was once the first row of the list and showed its name: it still does, or the row would change its height */
  pinned: boolean;
}

export interface Whispered extends Placed {
  kind: 'whisper';
  cid: string | null;
  name: string;
  to: string;
  /** the writer's session; empty if unknown */
  sid: string;
  /** the recipient's session, since another may take the name; empty if unknown */
  toSid: string;
  /** the writer knows that this may be someone else than before */
  confirmed?: boolean;
  text: string;
  mine: boolean;
  fate: Fate;
  refusal: Refusal | null;
  /** for the user's own: its frame has come; until then, a frame with the same text is taken for it */
  echoed: boolean;
}

export interface Presence extends Placed {
  kind: 'presence';
  came: string[];
  left: string[];
}

export type NoteText =
  | { code: 'you_are'; name: string }
  | { code: 'renamed'; from: string; to: string; mine: boolean }
  | { code: 'gap' }
  | { code: 'partner_left' | 'partner_other'; name: string }
  /** the server's sentence; `about` is the notice's code, for which the page may have a sentence of its own */
  | { code: 'answer'; text: string; about: string };

export interface Note extends Placed {
  kind: 'note';
  note: NoteText;
}

export type Item = Said | Whispered | Presence | Note;

/** Why the page does not reconnect by itself: `replaced`, `left`, `origin`, or the code of the server's refusal. */
export type Shut = string;

export type Link =
  | { at: 'opening'; since: number }
  | { at: 'here' }
  | { at: 'away'; since: number }
  | { at: 'shut'; why: Shut };

export interface Person {
  sid: string;
  name: string;
}

/** The recipient of a whisper. */
export interface Partner extends Person {
  /** nothing is sent until the user chooses a target */
  gone: boolean;
  /** the user knows that this may be someone else than before */
  confirmed?: boolean;
  /** when the session left; the person may come back with another, as after a reload */
  left?: number;
}

/** The recipient of a text: one person, or (null) everyone in the room. */
export interface Target {
  room: string;
  to: Person | null;
}

/** A private chat in a room, or none. */
export interface Chat extends Target {
  /** when a whisper was last received there, as `State.whisperedAt` */
  at?: number;
}

export interface Draft extends Target {
  text: string;
  /** it was refused and has come back: into the text box (`here`), or beside what was written there since */
  back?: 'here' | 'aside';
}

/** A command that is not answered yet. */
export interface Asking {
  target: Target;
  /** as typed */
  text: string;
  cid: string;
  /** its place: messages with a later one wait for its answer */
  at: string;
}

/** The messages that this tab has sent to a room. */
export interface Own {
  room: string;
  ids: ReadonlySet<string>;
}

/** What survives a reload. */
export interface Kept {
  partner: Partner | null;
  whisperedAt?: number;
  chats?: readonly Chat[];
  drafts: readonly Draft[];
  held?: boolean;
  own?: readonly Own[];
}

export interface State {
  now: number;
  room: string;
  link: Link;
  /** the server refuses connections until then (milliseconds since 1970); 0 if it never did */
  refusedUntil: number;

  sid: string;
  name: string;
  token: string | null;
  people: ReadonlyMap<string, string>;
  count: number;
  limits: { text: number; name: number; history: number | null; days: number | null };

  /** sorted by `at`, no id twice */
  items: readonly Item[];
  serial: number;
  /** the last id before which nothing is missing (NO_ID at first): from here the server replays */
  seen: string;
  /** the last id that a live frame carried */
  live: string;
  /** set while a replay is longer than one answer: the id after which the next page begins */
  catchUp: string | null;
  older: 'none' | 'more' | 'asking';
  /** whether the log has messages beyond the last row; `jumping`: the newest page is to be fetched, or on its way */
  newer: 'none' | 'more' | 'asking' | 'jumping';
  /** what arrived beyond the last row while a page is on its way */
  ahead: readonly Entry[];

  /** the message whose ack is awaited: one at a time, so that order holds over refusals */
  inFlight: string | null;
  /** the message that was in flight when the connection was lost, until it is answered: it may have been sent, under the identity of that time */
  doubtful: string | null;
  /** nothing is sent before this moment */
  quietUntil: number;
  /** why, until a message is answered: `rate` is counted down in the composer; `retry`, which the bar shows: the server could not store one */
  quietFor: 'rate' | 'retry' | null;
  tries: number;
  /** a refused command, or anything else that the composer shows; gone with the next key */
  problem: Refusal | null;
  partner: Partner | null;
  /** private chats that are open in the rooms that the user has left, and whispers that may be answered there */
  chats: readonly Chat[];
  /** one per target, and perhaps a refused one beside it; the latest changed last */
  drafts: readonly Draft[];
  /** by room; the room written to last is at the end */
  own: readonly Own[];
  /** the user has been in a private chat since the page was opened */
  whispered: boolean;
  /** something was refused, or a whisper was left unfinished: the next text may be for others than its target, so it is sent only when confirmed */
  held: boolean;
  /** when a whisper was last received, or sent by a command; -Infinity once the user has written to the room or chosen it */
  whisperedAt: number;
  /** one at a time: messages written later wait for its success */
  asking: Asking | null;

  atBottom: boolean;
  /** the key of a row in view while the user reads further up */
  reading: string | null;
  visible: boolean;
  /** how many messages others have sent since the page was opened: new ones are announced to screen readers */
  received: number;
  unread: number;
  mentions: number;
  /** the first unread row: the line "New" stands above it */
  lineAt: string | null;

  senders: ReadonlySet<string>;
  came: readonly string[];
  leaving: readonly { name: string; at: number }[];
  presence: { key: string; since: number } | null;
  /** when there were last too many people to name each join and leave */
  crowdAt: number;
  typing: ReadonlyMap<string, number>;

  back: { count: number; until: number } | null;
  /** a return under way: since when the user was away, and how many messages were caught up so far */
  returning: { since: number; count: number } | null;
}

export type Happening =
  | { type: 'tick' }
  | { type: 'frame'; frame: ServerFrame }
  /** `since`: when the connection died, if that was before it was noticed */
  | { type: 'cut'; since?: number }
  | { type: 'wait'; until: number }
  | { type: 'shut'; why: Shut }
  | { type: 'again' }
  /** go to another room, as if the page was opened there */
  | { type: 'go'; room: string }
  | { type: 'write'; text: string; cid: string }
  | { type: 'retry'; key: string; cid: string; text?: string }
  | { type: 'drop'; key: string }
  | { type: 'sent'; cid: string }
  | { type: 'answer'; cid: string; ack: Ack | null }
  | { type: 'renamed'; ack: Ack }
  /** the answer to the command in `asking` */
  | { type: 'commanded'; ack: Ack | null }
  | { type: 'caught'; entries: Entry[]; more: boolean }
  /** `before`: the first message when the page was asked for; a page for other rows is not taken */
  | { type: 'older'; before: string; entries: Entry[]; more: boolean }
  | { type: 'older_asked' }
  | { type: 'older_failed' }
  | { type: 'newer'; after: string; entries: Entry[]; more: boolean; gap: boolean }
  | { type: 'newer_asked' }
  | { type: 'newer_failed' }
  | { type: 'latest'; entries: Entry[] }
  | { type: 'to_end' }
  /** `over`: it takes the place of all that was there */
  | { type: 'draft'; target: Target; text: string; over?: boolean }
  /** exchange the draft and the refused text beside it, or (`drop`) forget the latter */
  | { type: 'aside'; drop?: boolean }
  | { type: 'whisper_to'; name: string; sid: string; confirmed?: boolean }
  | { type: 'whisper_end' }
  /** the server knows with which session the person of a session that has left is here now, or (null) that they are gone */
  | { type: 'met'; sid: string; person: Person | null }
  /** the text to be sent is only a whisper keyword */
  | { type: 'held' }
  | { type: 'problem'; refusal: Refusal | null }
  | { type: 'scrolled'; atBottom: boolean; reading?: string | null }
  | { type: 'visible'; visible: boolean };

export type Event = Happening & { now: number };

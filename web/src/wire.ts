/**
 * The wire, typed once: every frame of both directions on the one event `msg` (docs/protocol.md, section 1).
 * It knows their shapes, and not what is done with them.
 */

export type Pair = [name: string, sid: string];

/** A message, from the log or live; `sid` and `cid` are in live frames only. */
export interface Entry {
  action: 'message';
  username: string;
  msg: string;
  id: string;
  time: string;
  sid?: string;
  cid?: string;
  /** the user's own, as far as the page itself knows */
  mine?: boolean;
}

/** The server's settings that a page needs; one that is missing is ignored. */
export interface Limits {
  /** longest message, in characters */
  text?: number;
  /** longest name, in characters */
  name?: number;
  /** messages kept per room; 0: nothing on disk */
  history_entries?: number;
  /** how long they are kept */
  history_days?: number;
}

/** One row of the server's command table, `commands.json`. */
export interface Command {
  /** as it is typed: "/name [NEW]" */
  usage: string;
  /** what it does, by language */
  help: Partial<Record<string, string>>;
}

export interface You {
  sid: string;
  username: string;
  token: string;
  resumed: boolean;
  history: Entry[];
  more: boolean;
  gap: boolean;
  limits: Limits;
  v: number;
}

interface Roomed {
  name_list?: Pair[];
  room?: string;
  count?: number;
  time: string;
}

export interface Login extends Roomed {
  action: 'login';
  username: string;
  sid: string;
  you?: You;
}

export interface Logout extends Roomed {
  action: 'logout';
  username: string;
  sid: string;
}

export interface Roster {
  action: 'roster';
  joined: Pair[];
  left: Pair[];
  count: number;
  time: string;
}

export interface Whisper {
  action: 'whisper';
  username: string;
  to: string;
  msg: string;
  time: string;
}

export interface Rename {
  action: 'rename';
  username: string;
  to: string;
  sid: string;
  msg: string;
  time: string;
  name_list?: Pair[];
}

export interface Typing {
  action: 'typing';
  username: string;
}

export interface Notice {
  action: 'notice';
  username: '*';
  msg: string;
  code: string;
  time: string;
  retry_after?: number;
  [parameter: string]: unknown;
}

export type ServerFrame = Login | Logout | Roster | Entry | Whisper | Rename | Typing | Notice;

export type ClientFrame =
  | { action: 'message'; msg: string; cid: string }
  | { action: 'whisper'; to: string; to_sid: string; msg: string; typed: true; confirmed?: boolean; cid: string }
  | { action: 'rename'; username: string }
  | { action: 'rename'; suggest: true }
  | { action: 'lang'; lang: string }
  | { action: 'history'; before?: string; after?: string; limit: number }
  | { action: 'join'; room: string }
  | { action: 'typing' }
  | { action: 'ping' }
  | { action: 'who'; sid: string }
  | { action: 'logout' };

export type Refusal = { ok: false; code: string; msg: string; retry_after?: number; [parameter: string]: unknown };
export type Ack =
  | {
      ok: true;
      id?: string;
      time?: string;
      entries?: Entry[];
      more?: boolean;
      /** a part of it is no longer kept */
      gap?: boolean;
      username?: string;
      sid?: string;
      token?: string;
      room?: string;
    }
  | Refusal;

/** What the page sends when it connects. */
export interface Auth {
  v: 1;
  roster: 'delta';
  lang: string;
  room: string;
  token?: string;
  after?: string;
}

export interface ServerEvents {
  msg: (frame: ServerFrame) => void;
}

export interface ClientEvents {
  msg: (frame: ClientFrame, ack: (answer: Ack) => void) => void;
}

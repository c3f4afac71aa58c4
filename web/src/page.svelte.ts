/**
 * Runs the page: passes what happens to the state, and does what the state then requires (send, fetch, wake up).
 * The rules are in `state/`; the input and output are here.
 */

import { Address } from './address';
import { base } from './lib/places';
import { randomId } from './lib/ids';
import { PaintQueue } from './lib/paint';
import { pauseAfter } from './lib/pause';
import { keep, recall } from './lib/store';
import { read } from './lib/typed';
import { connect, type Connection } from './socket';
import { type Outgoing, mayBeKeyword, nextOut } from './state/outbox';
import { packOwn, unpackOwn } from './state/own';
import { begin, reduce } from './state/reduce';
import { draftOf, namesake, pack, targetOf, unpack } from './state/targets';
import { NO_ID, oldestId } from './state/timeline';
import { newestId } from './state/window';
import { isReady, wakeAt } from './state/view';
import type { Asking, Happening, State } from './state/types';
import type { Ack, ClientFrame, Entry, ServerFrame } from './wire';
import { language, type Lang } from './words/words.svelte';

const OLDER_PAGE = 50;
const CATCH_UP_PAGE = 200;
const TYPING_EVERY_MS = 3_000;
/** setTimeout counts in 32 bits. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** The parts of the state that the stored drafts depend on. */
const PACKED = ['drafts', 'partner', 'room', 'held', 'asking', 'inFlight', 'whisperedAt'] as const;

export class Page {
  state: State = $state.raw(begin('', null, 0));
  readonly root = base().pathname;
  readonly #address = new Address(this.root, () => this.state.room, (room) => this.#go(room));
  /** Whether a message waits until the page can ask about it. */
  holds: (out: Outgoing) => boolean = mayBeKeyword;
  /** Scroll up to older messages; set by the list. */
  scrollUp: () => void = () => undefined;
  #connection: Connection;
  readonly #incoming = new PaintQueue<ServerFrame>(() => this.#reduce());
  #waking: ReturnType<typeof setTimeout> | undefined;
  #catchingUp = false;
  #jumping = false;
  /** the id of the last command that was sent */
  #asked = '';
  /** the session with the name of a partner who left, if the server is, or was, asked whether it is the same person */
  #met = '';
  #typedAt = 0;
  #moved: (() => void) | undefined;
  /** the language that was last sent to the server */
  #langSent: Lang | null = null;

  constructor() {
    const { room } = this.#address;
    const kept = { ...unpack(recall('sessionStorage', 'drafts'), room), own: unpackOwn(recall('sessionStorage', 'own')) };
    this.state = begin(room, recall('sessionStorage', 'token'), Date.now(), kept);
    this.#connection = connect(base(), {
      auth: () => ({
        v: 1,
        roster: 'delta',
        lang: (this.#langSent = language.lang),
        room: this.state.room,
        ...(this.state.token === null ? {} : { token: this.state.token }),
        ...(this.state.seen === NO_ID ? {} : { after: this.state.seen }),
      }),
      frame: (frame) => this.#incoming.add(frame),
      cut: (since) => this.dispatch({ type: 'cut', since }),
      wait: (until) => this.dispatch({ type: 'wait', until }),
      shut: (why) => {
        // A notice that came before gives the better reason.
        if (this.state.link.at !== 'shut') this.dispatch({ type: 'shut', why });
      },
    });
    for (const sign of ['online', 'focus', 'pageshow']) addEventListener(sign, () => this.check(sign === 'online'));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.check();
      this.#reportVisibility();
    });
    this.#reportVisibility();
    this.follow();
  }

  /** Check that the connection is alive. */
  check(isNetworkNew = false): void {
    this.#connection.check(isNetworkNew);
  }

  /** Change the state as this event requires, and act on the change. */
  dispatch(happening: Happening): void {
    this.#reduce(happening);
  }

  /** Take in what the server has sent, and then this event. */
  #reduce(...happened: Happening[]): void {
    const before = this.state;
    const now = Date.now();
    const received = this.#incoming.take().map((frame) => ({ type: 'frame', frame }) as const);
    this.state = [...received, ...happened].reduce((state, one: Happening) => reduce(state, { ...one, now }), before);
    if (this.state.token !== before.token) keep('sessionStorage', 'token', this.state.token);
    if (this.state.room !== before.room) this.#address.show();
    if (this.state.room !== before.room || this.state.link !== before.link) this.#moved?.();
    if (this.state.own !== before.own) keep('sessionStorage', 'own', packOwn(this.state.own));
    if (PACKED.some((key) => this.state[key] !== before[key])) keep('sessionStorage', 'drafts', pack(this.state));
    this.follow();
  }

  /** Change the draft for the current target. */
  draft(text: string, over = false): void {
    this.dispatch({ type: 'draft', target: targetOf(this.state), text, over });
  }

  /** Send the draft to its target, or run it as a command. */
  send(): void {
    if (!isReady(this.state)) return;
    const text = draftOf(this.state).trim();
    const typed = read(text);
    // The list shows, or loads, what the server would answer.
    if (typed.kind === 'command' && /^\/history\b/i.test(typed.text)) {
      this.draft('');
      this.scrollUp();
    } else this.dispatch({ type: 'write', text, cid: randomId(16) });
  }

  retry(key: string, text?: string): void {
    this.dispatch({ type: 'retry', key, cid: randomId(16), text });
  }

  /** Send a request; null: it is unknown whether it was done. */
  ask(frame: ClientFrame): Promise<Ack | null> {
    return this.#connection.ask(frame);
  }

  /** Fetch messages older than the list. */
  async older(): Promise<void> {
    const before = oldestId(this.state.items);
    if (this.state.older !== 'more' || before === null || this.state.link.at !== 'here') return;
    this.dispatch({ type: 'older_asked' });
    const { room } = this.state;
    const page = await this.#history({ before });
    if (page) this.dispatch({ type: 'older', before, ...page });
    else if (this.state.room === room) this.dispatch({ type: 'older_failed' });
  }

  /** Fetch messages newer than the list, if it does not reach the newest one. */
  async newer(): Promise<void> {
    const after = newestId(this.state.items);
    if (this.state.newer !== 'more' || after === null || this.state.link.at !== 'here') return;
    this.dispatch({ type: 'newer_asked' });
    const { room } = this.state;
    const page = await this.#history({ after });
    if (page) this.dispatch({ type: 'newer', after, ...page });
    else if (this.state.room === room) this.dispatch({ type: 'newer_failed' });
  }

  /** A page of the history; null, after a pause, if it cannot be fetched. */
  async #history(where: { before?: string; after?: string; limit?: number }): Promise<{ entries: Entry[]; more: boolean; gap: boolean } | null> {
    const ack = await this.ask({ action: 'history', limit: OLDER_PAGE, ...where });
    if (ack?.ok) return { entries: ack.entries ?? [], more: ack.more ?? false, gap: ack.gap ?? false };
    await new Promise((resolve) => setTimeout(resolve, pauseAfter(ack)));
    return null;
  }

  typing(): void {
    const now = Date.now();
    if (this.state.partner || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    // It does not matter whether it arrives.
    void this.ask({ action: 'typing' });
  }

  /** Reconnect after the connection was ended for good: taken over by another tab, refused, left. */
  again(): void {
    this.dispatch({ type: 'again' });
    this.#connection.again();
  }

  /** Join a room. If that is refused, or there is no connection, connect again to that room, as if the page had been opened there. */
  async #go(room: string): Promise<void> {
    if (await this.#join(room)) return;
    this.dispatch({ type: 'go', room });
    this.#connection.again();
  }

  async #join(room: string): Promise<boolean> {
    const before = this.state.room;
    const ack = this.state.link.at === 'here' ? await this.ask({ action: 'join', room }) : null;
    if (!ack?.ok) return false;
    while (this.state.link.at === 'here' && this.state.room === before && before !== ack.room) {
      await new Promise<void>((resolve) => (this.#moved = resolve));
    }
    return this.state.link.at === 'here';
  }

  async #command({ text, cid }: Asking): Promise<void> {
    this.#asked = cid;
    const ack = await this.ask({ action: 'message', msg: read(text).text, cid });
    this.#asked = '';
    this.dispatch({ type: 'commanded', ack });
  }

  #reportVisibility(): void {
    this.dispatch({ type: 'visible', visible: document.visibilityState === 'visible' });
  }

  /** Do what the state and the language require. */
  follow(): void {
    const out = nextOut(this.state);
    if (out && !this.holds(out)) void this.#send(out.cid!);
    const { asking } = this.state;
    if (asking && asking.cid !== this.#asked) void this.#command(asking);
    const twin = this.state.link.at === 'here' ? namesake(this.state) : null;
    if (twin && twin.sid !== this.#met) void this.#meet(twin.sid, this.state.partner!.sid);
    if (this.state.catchUp !== null && !this.#catchingUp) void this.#catchUp();
    if (this.state.link.at === 'here' && this.#langSent !== language.lang) void this.#sendLang(language.lang);
    if (this.state.newer === 'jumping' && !this.#jumping && this.state.link.at === 'here') void this.#jump();
    clearTimeout(this.#waking);
    const wake = wakeAt(this.state);
    if (wake !== null) {
      const pause = Math.min(Math.max(wake - Date.now(), 0), LONGEST_WAIT_MS);
      this.#waking = setTimeout(() => this.dispatch({ type: 'tick' }), pause);
    }
  }

  /** The session `sid` has the name of a partner whose session `left` is gone. Ask whether it is the same person, back after a reload. */
  async #meet(sid: string, left: string): Promise<void> {
    this.#met = sid;
    const ack = await this.ask({ action: 'who', sid: left });
    if (ack?.ok) this.dispatch({ type: 'met', sid: left, person: { sid: ack.sid!, name: ack.username! } });
    else if (ack?.code === 'no_such_person') this.dispatch({ type: 'met', sid: left, person: null });
    else {
      setTimeout(() => {
        if (this.#met === sid) this.#met = '';
        this.follow();
      }, ack ? pauseAfter(ack) : 0);
    }
  }

  async #sendLang(lang: Lang): Promise<void> {
    this.#langSent = lang;
    const ack = await this.ask({ action: 'lang', lang });
    // If the answer is lost, the next event sends it again. If it is refused, the next connection sends it.
    if (ack === null && this.#langSent === lang) this.#langSent = null;
  }

  async #send(cid: string): Promise<void> {
    const out = nextOut(this.state);
    if (!out || out.cid !== cid) return;
    this.dispatch({ type: 'sent', cid });
    const ack = await this.ask(
      out.kind === 'whisper' ? { action: 'whisper', to: out.to, to_sid: out.toSid, msg: out.text, typed: true, confirmed: out.confirmed === true, cid } : { action: 'message', msg: out.text, cid },
    );
    this.dispatch({ type: 'answer', cid, ack });
  }

  /** Fetch the newest messages, to go on from there. */
  async #jump(): Promise<void> {
    this.#jumping = true;
    const { link } = this.state;
    const page = await this.#history({});
    this.#jumping = false;
    // Each time that a room is joined, `link` is another object.
    if (page && link === this.state.link) this.dispatch({ type: 'latest', ...page });
    else this.follow();
  }

  async #catchUp(): Promise<void> {
    this.#catchingUp = true;
    const after = this.state.catchUp!;
    const page = await this.#history({ after, limit: CATCH_UP_PAGE });
    this.#catchingUp = false;
    // The connection was cut meanwhile: the next login replays from the newest known message.
    if (this.state.catchUp !== after) return this.follow();
    if (page) this.dispatch({ type: 'caught', ...page });
    else this.follow();
  }
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { alert, lastCall } from '../src/lib/alert';
import { rest as en } from '../src/words/en.rest';
import { rest as zh } from '../src/words/zh.rest';
import { Play, entry } from './help';

const source = readFileSync(new URL('../public/sw.js', import.meta.url), 'utf8');
const SCOPE = 'https://example.org/chat/';
const TEA = `${SCOPE}r/tea`;

type Listener = (event: object) => void;
interface Client {
  url: string;
  postMessage(message: unknown, ports: MessagePort[]): void;
  focus(): Promise<void>;
}

/** The worker in a scope of its own, with pages that answer `fit`; null: they sleep. */
class Worker {
  done: string[] = [];
  listeners = new Map<string, Listener>();
  pages: Client[] = [];

  constructor() {
    const self = {
      addEventListener: (type: string, listener: Listener) => this.listeners.set(type, listener),
      skipWaiting: () => undefined,
      registration: { scope: SCOPE },
      clients: {
        matchAll: async () => this.pages,
        openWindow: async (url: string) => void this.done.push(`open ${url}`),
      },
    };
    new Function('self', source)(self);
  }

  has(url: string, fit: number | null): this {
    const number = this.pages.length;
    this.pages.push({
      url,
      postMessage: (_, [port]) => {
        if (fit === null) port!.close();
        else port!.postMessage(fit);
      },
      focus: async () => void this.done.push(`focus ${number}`),
    });
    return this;
  }

  async clicks(): Promise<string[]> {
    let waited: Promise<unknown> = Promise.resolve();
    this.listeners.get('notificationclick')!({
      notification: { data: { tab: 'mine', url: TEA }, close: () => this.done.push('close') },
      waitUntil: (promise: Promise<unknown>) => (waited = promise),
    });
    await waited;
    return this.done;
  }
}

describe('The service worker', () => {
  it('listens to no request and stores nothing', () => {
    expect([...new Worker().listeners.keys()].sort()).toEqual(['install', 'notificationclick']);
    expect(source).not.toMatch(/\b(?:caches|indexedDB|importScripts)\b/);
  });

  it('focuses the page that the notification came from', async () => {
    expect(await new Worker().has(TEA, 1).has(TEA, 2).has(TEA, 1).clicks()).toEqual(['close', 'focus 1']);
  });

  it('focuses another page in the same room', async () => {
    expect(await new Worker().has(SCOPE, 0).has(`${SCOPE}r/other`, 1).clicks()).toEqual(['close', 'focus 1']);
  });

  it('focuses a sleeping page that began in the room', async () => {
    expect(await new Worker().has(SCOPE, null).has(TEA, null).clicks()).toEqual(['close', 'focus 1']);
  });

  it('opens the room where no page is in it', async () => {
    expect(await new Worker().has(SCOPE, 0).has(TEA, 0).clicks()).toEqual(['close', `open ${TEA}`]);
  });

  it('leaves pages of other services alone', async () => {
    expect(await new Worker().has('https://example.org/mail', 2).clicks()).toEqual(['close', `open ${TEA}`]);
  });
});

describe('A notification', () => {
  const play = new Play().enter({ username: '阿狸' });
  const said = (n: number, msg: string): void => void play.hear({ ...entry(n, 'fox', msg), sid: 'f' });
  said(1, 'to @阿狸');
  said(2, 'to all');

  it('shows what called, not what came last', () => {
    expect(alert(en, 'tea', lastCall(play.state.items, '阿狸')!)).toEqual({ title: 'fox · tea', body: 'to @阿狸' });
  });

  it.each([
    [en, 'fox whispers to you'],
    [zh, 'fox 私聊你'],
  ])('of a whisper says that it is private, and not what it says', (words, title) => {
    const whispered = new Play().enter({ username: '阿狸' }).hear({ action: 'whisper', username: 'fox', to: '阿狸', msg: 'secret', time: '' });
    expect(alert(words, 'tea', lastCall(whispered.state.items, '阿狸')!)).toEqual({ title, body: '' });
  });

  it('is not shown where nobody called', () => {
    expect(lastCall(new Play().enter().state.items, '阿狸')).toBe(null);
  });
});

/**
 * Notifications while the page is not in view. Permission is requested only when the user turns them on. The service worker shows them:
 * phones allow them in no other way. Where the browser has none (plain http), the switch is not there.
 */

import type { Page } from '../page.svelte';
import { language } from '../words/words.svelte';
import { alert, lastCall } from './alert';
import { randomId } from './ids';
import { LOBBY, base, pathOf } from './places';
import { keep, recall } from './store';

/** A worker that is not ready by then never will be. */
const READY_MS = 10_000;

/** Why nothing is shown although it is wanted: forbidden, not allowed (yet, or any more), or it did not work. */
export type Trouble = 'blocked' | 'unasked' | 'failed';

interface Wanted {
  tab: string;
  url: string;
}

class Notifier {
  readonly possible = typeof Notification === 'function' && window.isSecureContext && 'serviceWorker' in navigator;
  readonly #tab = randomId(16);
  #registered: Promise<ServiceWorkerRegistration> | null = null;
  #wanted = $state(recall('localStorage', 'notify') === 'on');
  #permission: NotificationPermission = $state('default');
  #failed = $state(false);

  readonly on = $derived(this.#wanted && this.#permission === 'granted');
  /** The user's choice is kept: if the switch is off in spite of it, a sentence says why. */
  readonly trouble: Trouble | null = $derived.by(() => {
    if (!this.#wanted) return null;
    if (this.#permission !== 'granted') return this.#permission === 'denied' ? 'blocked' : 'unasked';
    return this.#failed ? 'failed' : null;
  });

  constructor() {
    if (!this.possible) return;
    this.#look();
    document.addEventListener('visibilitychange', () => this.#look());
    void navigator.permissions?.query({ name: 'notifications' }).then(
      (status) => (status.onchange = () => this.#look()),
      () => undefined, // Some browsers do not know this permission: it is read whenever the page comes into view.
    );
  }

  /** Answer the worker, which asks each page whether a clicked notification is its own. */
  answer(isHere: (url: string) => boolean): void {
    if (!this.possible) return;
    navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ clicked?: Wanted }>) => {
      const clicked = event.data.clicked;
      if (clicked) event.ports[0]?.postMessage(clicked.tab === this.#tab ? 2 : isHere(clicked.url) ? 1 : 0);
    });
  }

  async turn(on: boolean): Promise<void> {
    if (!this.possible) return;
    if (on) this.#permission = await Notification.requestPermission();
    this.#wanted = on;
    this.#failed = false;
    keep('localStorage', 'notify', on ? 'on' : null);
    if (this.on) await this.#try(() => this.#worker());
  }

  /** Show a notification; a click on it leads to `url`. A later one of the same `url` takes its place. */
  async notify({ title, body }: { title: string; body: string }, url: string): Promise<void> {
    this.#look();
    if (!this.on) return;
    const data: Wanted = { tab: this.#tab, url };
    const icon = new URL('icon-192.png', base()).href;
    const options = { body, icon, tag: url, renotify: true, data };
    await this.#try(async () => (await this.#worker()).showNotification(title, options));
  }

  /** The user looked at the room: its notifications are of no more use. */
  async clear(url: string): Promise<void> {
    if (!this.#registered) return;
    await this.#try(async () => {
      for (const shown of await (await this.#worker()).getNotifications({ tag: url })) shown.close();
    });
  }

  #look(): void {
    if (this.possible) this.#permission = Notification.permission;
  }

  async #try(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      this.#failed = false;
    } catch {
      this.#registered = null;
      this.#failed = true;
      this.#look();
    }
  }

  #worker(): Promise<ServiceWorkerRegistration> {
    this.#registered ??= navigator.serviceWorker
      .register(workerAddress(), { scope: base().pathname })
      .then(() => Promise.race([navigator.serviceWorker.ready, new Promise<never>((_, fail) => setTimeout(fail, READY_MS))]));
    return this.#registered;
  }
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(text: string): string };
}

/** The worker's address, marked as trusted where the page's policy asks for that; a policy can be made once only. */
const workerAddress = once(() => {
  const address = new URL('sw.js', base()).href;
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types?.createPolicy('chatroom-worker', { createScriptURL: () => address }).createScriptURL('') ?? address;
});

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

export const notifier = new Notifier();

/** Notify of what happens at a page from now on: mentions and whispers that come while it is not in view. */
export function watch(page: Page): void {
  const here = (): string => location.origin + pathOf(page.state.room, page.root);
  notifier.answer((url) => url === here());
  $effect.root(() => {
    let counted = page.state.mentions;
    $effect(() => {
      const { mentions, visible, items, name, room } = page.state;
      const { words, rest } = language;
      if (mentions > counted && !visible) {
        const call = lastCall(items, name);
        if (call) void notifier.notify(alert(rest, room === LOBBY ? words.lobby : room, call), here());
      } else if (mentions < counted) void notifier.clear(here());
      counted = mentions;
    });
  });
}

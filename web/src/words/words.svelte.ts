/** The present language: the browser's, or the chosen one. The document's `lang` follows it. */

import { dayKind } from '../lib/days';
import { recall } from '../lib/store';
import type { Words } from './en';
import type { Rest } from './en.rest';
import type { Refusal } from '../wire';

export type { Words };
export type Lang = 'en' | 'zh';

/** A first load has one language only; boot.js makes the browser fetch it along with the page. */
export const LOAD: Readonly<Record<Lang, () => Promise<Words>>> = {
  en: () => import('./en').then((module) => module.en),
  zh: () => import('./zh').then((module) => module.zh),
};
export const LOAD_REST: Readonly<Record<Lang, () => Promise<Rest>>> = {
  en: () => import('./en.rest').then((module) => module.rest),
  zh: () => import('./zh.rest').then((module) => module.rest),
};

export function pick(chosen: string | null, spoken: readonly string[]): Lang {
  if (chosen === 'en' || chosen === 'zh') return chosen;
  for (const tag of spoken) {
    const lang = tag.toLowerCase().split('-')[0];
    if (lang === 'en' || lang === 'zh') return lang;
  }
  return 'en';
}

class Language {
  lang: Lang = $state(pick(recall('localStorage', 'lang'), navigator.languages));
  /** Loaded before anything is drawn: `main.ts` waits for `load`. */
  words = $state.raw() as Words;
  /** Loaded before anything of `later.ts` is drawn: `App.svelte` waits for `loadRest`. */
  rest = $state.raw() as Rest;
  /** Finds the sentence for a refusal among `rest`; loaded with it. */
  refusal: typeof import('./refusal') | undefined = $state.raw();
  known = $derived({ ...this.words, ...this.rest });
  /** The language in the reader's regional form: 28 November or November 28. */
  #locale = $derived(navigator.languages.find((tag) => tag.startsWith(this.lang)) ?? this.lang);
  compare: (one: string, other: string) => number = $derived(new Intl.Collator(this.lang, { numeric: true }).compare);
  #clock = $derived(new Intl.DateTimeFormat(this.#locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }));
  #day = $derived(new Intl.DateTimeFormat(this.#locale, { weekday: 'long', month: 'long', day: 'numeric' }));
  #year = $derived(new Intl.DateTimeFormat(this.#locale, { dateStyle: 'full' }));
  #whole = $derived(new Intl.DateTimeFormat(this.#locale, { dateStyle: 'long', timeStyle: 'medium', hourCycle: 'h23' }));

  constructor() {
    this.#mark();
  }

  async load(): Promise<void> {
    this.words = await LOAD[this.lang]();
  }

  async loadRest(): Promise<void> {
    [this.rest, this.refusal] = await Promise.all([LOAD_REST[this.lang](), import('./refusal')]);
  }

  change(lang: Lang, words: Words, rest: Rest): void {
    [this.lang, this.words, this.rest] = [lang, words, rest];
    this.#mark();
  }

  /** Until the rest is loaded, the server's sentence is shown. */
  sentence(refusal: Refusal): string {
    return this.refusal?.sentence(this.known, refusal) ?? (refusal.msg || this.words.notSent);
  }

  clock(time: number): string {
    return this.#clock.format(time);
  }

  whole(time: number): string {
    return this.#whole.format(time);
  }

  /** A day as people write it; `midnight`: when today began. */
  day(time: number, midnight: number): string {
    const kind = dayKind(time, midnight);
    if (kind === 'today' || kind === 'yesterday') return this.words[kind];
    return (kind === 'year' ? this.#year : this.#day).format(time);
  }

  #mark(): void {
    document.documentElement.lang = this.lang === 'zh' ? 'zh-CN' : 'en';
  }
}

export const language = new Language();

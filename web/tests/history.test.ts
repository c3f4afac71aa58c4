import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pathOf } from '../src/lib/places';

/** The browser's history; a step back arrives when the test lets it. */
class Visits extends EventTarget {
  #entries: { state: unknown; path: string }[] = [{ state: null, path: '/r/tea' }];
  #at = 0;
  #steps = 0;

  get state(): unknown {
    return this.#entries[this.#at]!.state;
  }
  get pathname(): string {
    return this.#entries[this.#at]!.path;
  }
  pushState(state: unknown, _: string, path = this.pathname): void {
    this.#entries.splice(++this.#at, Infinity, { state, path });
  }
  replaceState(state: unknown, _: string, path = this.pathname): void {
    this.#entries[this.#at] = { state, path };
  }
  back(): void {
    this.#steps += 1;
  }
  arrive(): void {
    for (; this.#steps > 0; this.#steps--) {
      this.#at -= 1;
      this.dispatchEvent(new Event('popstate'));
    }
  }
  /** The rooms from the first entry to the one in view; `+` marks that of a sheet. */
  get trail(): string[] {
    return this.#entries.slice(0, this.#at + 1).map(({ state, path }) => path.slice('/r/'.length) + (state === null ? '' : '+'));
  }
}

let visits: Visits;
let room: string;
let gone: string[];
/** names of the sheets that are open */
let open: string[];
let enter: typeof import('../src/lib/entry').enter;
let address: import('../src/address').Address;

beforeEach(async () => {
  visits = new Visits();
  vi.stubGlobal('history', visits);
  vi.stubGlobal('location', visits);
  vi.stubGlobal('addEventListener', visits.addEventListener.bind(visits));
  vi.stubGlobal('removeEventListener', visits.removeEventListener.bind(visits));
  vi.resetModules();
  [room, gone, open] = ['tea', [], []];
  const { Address } = await import('../src/address');
  address = new Address('/', () => room, async (to) => void gone.push((room = to)));
  enter = (await import('../src/lib/entry')).enter;
});
afterEach(() => vi.unstubAllGlobals());

/** Open a sheet; call the result to close it, as Escape does. */
function sheet(name: string): () => void {
  const leave = enter(() => close());
  open.push(name);
  const close = (): void => {
    open.splice(open.indexOf(name), 1);
    leave();
  };
  return close;
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function join(other: string): void {
  room = other;
  address.show();
}

describe('A sheet', () => {
  it('is closed by Back, and the room stays', async () => {
    sheet('menu');
    expect(visits.trail).toEqual(['tea', 'tea+']);
    visits.back();
    visits.arrive();
    await settled();
    visits.arrive();
    expect([open, visits.trail, gone]).toEqual([[], ['tea'], []]);
  });

  it('leaves no entry when it closes', async () => {
    sheet('menu')();
    await settled();
    visits.arrive();
    expect(visits.trail).toEqual(['tea']);
  });

  it('leaves its entry to one that it opens', async () => {
    const close = sheet('people');
    close();
    sheet('name');
    await settled();
    visits.arrive();
    expect([open, visits.trail]).toEqual([['name'], ['tea', 'tea+']]);
  });

  it('stays open when the step back from another arrives', async () => {
    sheet('menu')();
    await settled();
    const close = sheet('name');
    visits.arrive();
    await settled();
    expect([open, visits.trail]).toEqual([['name'], ['tea', 'tea+']]);
    close();
    await settled();
    visits.arrive();
    expect([open, visits.trail]).toEqual([[], ['tea']]);
  });

  it('that closes before that step arrives takes no other', async () => {
    join('den');
    sheet('menu')();
    await settled();
    sheet('name')();
    await settled();
    visits.arrive();
    expect([visits.trail, gone]).toEqual([['tea', 'den'], []]);
  });

  it('opened before that step has its entry above a new room’s', async () => {
    sheet('menu')();
    await settled();
    join('den');
    sheet('name');
    visits.arrive();
    await settled();
    expect([open, visits.trail]).toEqual([['name'], ['tea', 'den', 'den+']]);
    visits.back();
    visits.arrive();
    expect([open, visits.trail, gone]).toEqual([[], ['tea', 'den'], []]);
  });
});

describe('The address', () => {
  it('has an entry for each room, to which Back leads', async () => {
    join('den');
    join('茶馆');
    expect(visits.pathname).toBe(pathOf('茶馆', '/'));
    visits.back();
    visits.back();
    visits.arrive();
    await settled();
    expect([gone, visits.trail]).toEqual([['den', 'tea'], ['tea']]);
  });

  it('of a room replaces the entry of an open sheet', () => {
    sheet('menu');
    join('den');
    expect(visits.trail).toEqual(['tea', 'den']);
  });
});

import { describe, expect, it } from 'vitest';
import { listed, rowsOf, type Row } from '../src/state/view';
import { Play, START, entry, id } from './help';

const shape = (list: Row[]) => list.map((row) => (row.kind === 'day' ? 'day' : `${row.head ? 'head' : 'more'}${row.fresh ? '!' : ''}`));
const shapes = (play: Play) => shape(rowsOf(play.state.items, play.state.lineAt));
const here = () => new Play().enter();

describe('Rows', () => {
  it('none for nothing', () => {
    expect(rowsOf([], null)).toEqual([]);
  });

  it('what one person says in one go stands together', () => {
    expect(shapes(here().hear(entry(1)).hear(entry(2)).hear(entry(3, 'owl')).hear(entry(4)))).toEqual(['day', 'head', 'more', 'head', 'head']);
  });

  it('a pause begins a new group', () => {
    expect(shapes(here().hear(entry(1)).hear(entry(299)).hear(entry(700)))).toEqual(['day', 'head', 'more', 'head']);
  });

  it('a line in between begins a new group', () => {
    const play = here().hear(entry(1)).roster([['owl', 'o']], []).hear(entry(2));
    expect(shapes(play)).toEqual(['day', 'head', 'head', 'head']);
  });

  it('the line "New" begins a new group', () => {
    expect(shapes(here().hear(entry(1)).do({ type: 'scrolled', atBottom: false }).hear(entry(2)))).toEqual(['day', 'head', 'head!']);
  });

  it('who joined today stands below the day of what follows', () => {
    const play = here().hear(entry(1)).roster([['owl', 'o']], [], 90_000).hear(entry(90_001));
    expect(shapes(play)).toEqual(['day', 'head', 'day', 'head', 'head']);
    expect(rowsOf(play.state.items, null)[3]).toMatchObject({ item: { kind: 'presence' } });
  });

  it('who joined the day before stands above the day', () => {
    const play = here().hear(entry(1)).roster([['owl', 'o']], [], 60).hear(entry(90_001), 90_001);
    expect(shapes(play)).toEqual(['day', 'head', 'head', 'day', 'head']);
  });

  it('another day has its own line', () => {
    expect(shapes(here().hear(entry(1)).hear(entry(90_000)))).toEqual(['day', 'head', 'day', 'head']);
  });

  it('a clock that went back does not join what it tore apart', () => {
    const at = (n: number, seconds: number) => entry(n, 'fox', 'x', { time: new Date(START + seconds * 1000).toISOString() });
    expect(shapes(here().hear(at(1, 7_200)).hear(at(2, 0)).hear(at(3, 1)))).toEqual(['day', 'head', 'head', 'more']);
  });

  it('rows stay in the order of ids, with a day each time that it changes', () => {
    const years = 3652 * 86_400;
    const wrong = { time: new Date(START + years * 1000).toISOString() };
    const play = here().hear(entry(1)).hear(entry(2, 'fox', 'later', wrong)).hear(entry(3)).hear(entry(4));
    const rows = rowsOf(play.state.items, play.state.lineAt);
    expect(shape(rows)).toEqual(['day', 'head', 'day', 'head', 'day', 'head', 'more']);
    expect(rows.flatMap((row) => (row.kind === 'item' && row.item.kind === 'said' ? [row.item.text] : []))).toEqual(['m1', 'later', 'm3', 'm4']);
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
  });

  it('a pending message begins no day', () => {
    expect(shapes(here().write('a'))).toEqual(['head']);
  });

  it('one’s own stands apart from another’s of the same name', () => {
    const play = here().hear(entry(1, '阿狸')).hear(entry(2, '阿狸', 'x', { sid: 'me' }));
    expect(shapes(play)).toEqual(['day', 'head', 'head']);
  });

  it('whispers stand together, apart from talk', () => {
    const whisper = (to: string) => ({ action: 'whisper', username: 'fox', to, msg: 'x', time: new Date(START).toISOString() }) as const;
    expect(shapes(here().hear(entry(0)).hear(whisper('阿狸')).hear(whisper('阿狸')))).toEqual(['day', 'head', 'head', 'more']);
  });

  it('the row that was first keeps its name when older ones come', () => {
    const play = new Play().enter({ history: [entry(5), entry(6)] }).do({ type: 'older', before: id(5), entries: [entry(3), entry(4)], more: false });
    expect(shapes(play).slice(0, 5)).toEqual(['day', 'head', 'more', 'head', 'more']);
  });

  it('keys are never shared', () => {
    const play = new Play().enter({ history: [entry(1), entry(2)] }).roster([['f', 'f']], []).write('a').write('b').hear(entry(9));
    const keys = rowsOf(play.state.items, play.state.lineAt).map((row) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('People', () => {
  it('the user first, then by name', () => {
    const people = new Map([['1', 'b'], ['2', 'a'], ['me', 'z']]);
    expect(listed(people, 'me', (one, other) => one.localeCompare(other)).map((one) => one.name)).toEqual(['z', 'a', 'b']);
  });

  it('before one is in, the others only', () => {
    expect(listed(new Map([['1', 'b']]), 'me', () => 0)).toEqual([{ sid: '1', name: 'b' }]);
  });
});

import { describe, expect, it } from 'vitest';
import { oldestId } from '../src/state/timeline';
import { mood } from '../src/state/view';
import { KEEP, newestId } from '../src/state/window';
import type { Entry } from '../src/wire';
import { Play, START, entries, entry, id } from './help';

/** A page that has received the messages 1 to `last`, one by one. */
function after(last: number, play = new Play().enter()): Play {
  for (let n = 1; n <= last; n++) play.hear(entry(n));
  return play;
}

const texts = (play: Play) => play.said.map((item) => item.text);
const whisper = (msg: string) => ({ action: 'whisper', username: 'fox', to: '阿狸', msg, time: new Date(START).toISOString() }) as const;
/** A person reads message 100 while the list grows over its bound. */
const reading = () => after(KEEP + 1, after(200).do({ type: 'scrolled', atBottom: false, reading: id(100) }));
/** A page of newer messages comes, asked for when the list ended as it does now. */
const newer = (play: Play, page: Entry[], more: boolean, gap = false) =>
  play.do({ type: 'newer', after: newestId(play.state.items)!, entries: page, more, gap });

describe('At the end', () => {
  it('the oldest go, and can be fetched again', () => {
    const play = after(KEEP + 300);
    expect(play.state.items.length).toBeLessThanOrEqual(KEEP);
    expect([texts(play).at(-1), play.state.older, play.state.newer]).toEqual([`m${KEEP + 300}`, 'more', 'none']);
  });

  it('a whisper stays when the messages around it go', () => {
    const play = new Play().enter().hear(entry(0)).hear(whisper('keep me'));
    expect(after(2 * KEEP, play).whispers.map((item) => item.text)).toEqual(['keep me']);
  });

  it('whispers are bounded as well', () => {
    const play = new Play().enter();
    for (let n = 0; n < 3 * KEEP; n++) play.hear(whisper(`w${n}`));
    expect(play.state.items.length).toBeLessThanOrEqual(KEEP);
    expect(play.whispers.at(-1)!.text).toBe(`w${3 * KEEP - 1}`);
  });
});

describe('While a person reads further up', () => {
  it('the newest go, and what is read stays', () => {
    const play = reading();
    expect(play.state.items.length).toBeLessThanOrEqual(KEEP);
    expect([texts(play)[0], play.state.older, play.state.newer]).toEqual(['m1', 'none', 'more']);
  });

  it('the oldest go where these are farther away', () => {
    const play = after(KEEP - 10).do({ type: 'scrolled', atBottom: false, reading: id(KEEP - 100) });
    for (let n = KEEP - 9; n <= KEEP + 1; n++) play.hear(entry(n));
    expect([play.said.some((item) => item.id === id(KEEP - 100)), play.state.newer]).toEqual([true, 'none']);
  });

  it('what is on its way stays', () => {
    const play = after(KEEP - 1).write('mine').do({ type: 'scrolled', atBottom: false, reading: id(100) });
    for (let n = KEEP; n <= KEEP + 5; n++) play.hear(entry(n));
    expect([play.state.newer, texts(play).at(-1)]).toEqual(['more', 'mine']);
  });

  it('further messages are counted and not shown', () => {
    const play = reading();
    const { length } = play.state.items;
    const { unread } = play.state;
    play.hear(entry(KEEP + 2)).hear(entry(KEEP + 3));
    expect([play.state.items.length, play.state.unread, play.state.seen]).toEqual([length, unread + 2, id(KEEP + 3)]);
  });

  it('a whisper is shown after them all', () => {
    const play = reading().hear(whisper('now')).do({ type: 'newer_asked' });
    newer(play, entries(KEEP - 198, KEEP + 1), false);
    expect(play.shown.at(-1)).toBe('fox>阿狸: now');
  });

  it('what was missed over a cut is counted and not shown', () => {
    const play = reading().do({ type: 'cut' });
    const { unread } = play.state;
    play.enter({ history: entries(KEEP + 2, KEEP + 9), resumed: true });
    expect([play.state.unread, play.state.newer, play.state.seen]).toEqual([unread + 8, 'more', id(KEEP + 9)]);
  });
});

describe('Newer messages', () => {
  /** The ids that a page of 200 after the last row has. */
  const next = (play: Play) => {
    const from = Number(/\d+$/.exec(texts(play).at(-1)!)![0]) + 1;
    return entries(from, Math.min(from + 199, KEEP + 1));
  };

  it('come page by page, without a hole and none twice', () => {
    const play = reading();
    for (let pages = 0; play.state.newer !== 'none' && pages < 5; pages++) {
      play.do({ type: 'scrolled', atBottom: false, reading: newestId(play.state.items) }).do({ type: 'newer_asked' });
      const page = next(play);
      newer(play, page, page.at(-1)!.id !== id(KEEP + 1));
    }
    const shown = texts(play);
    expect(shown.at(-1)).toBe(`m${KEEP + 1}`);
    expect(shown).toEqual(entries(KEEP + 2 - shown.length, KEEP + 1).map((one) => one.msg));
  });

  it('what arrives during the last page follows it', () => {
    const play = reading();
    play.do({ type: 'scrolled', atBottom: false, reading: newestId(play.state.items) }).do({ type: 'newer_asked' });
    const page = [...next(play), entry(KEEP + 1)];
    newer(play.hear(entry(KEEP + 2)), page, false);
    expect([texts(play).slice(-2), play.state.newer]).toEqual([[`m${KEEP + 1}`, `m${KEEP + 2}`], 'none']);
  });

  it('what arrives before an earlier page is fetched later', () => {
    const play = reading().do({ type: 'newer_asked' });
    const page = next(play).slice(0, 50);
    newer(play.hear(entry(KEEP + 2)), page, true);
    expect([newestId(play.state.items), play.state.newer]).toEqual([page.at(-1)!.id, 'more']);
  });

  it('a part no longer kept is reported missing', () => {
    const play = reading().do({ type: 'newer_asked' });
    newer(play, entries(KEEP, KEEP + 1), false, true);
    expect(play.shown.slice(-3)).toEqual(['[gap]', `m${KEEP}`, `m${KEEP + 1}`]);
  });

  /** An own message is on its way while a person reads where the list does not reach the end. */
  const onItsWay = () => {
    const play = after(KEEP - 1).write('mine').sent('mine').do({ type: 'scrolled', atBottom: false, reading: id(100) });
    for (let n = KEEP; n <= KEEP + 5; n++) play.hear(entry(n));
    return play;
  };
  const mine = entry(KEEP + 6, '阿狸', 'mine', { sid: 'me', cid: 'mine' });

  it('an own message beyond the rows leaves no hole before it', () => {
    const play = onItsWay();
    const last = newestId(play.state.items);
    play.ok('mine', KEEP + 6);
    expect([newestId(play.state.items), texts(play).includes('mine')]).toEqual([last, false]);
  });

  it('an own message that is sent meanwhile follows them', () => {
    const play = onItsWay();
    const { unread } = play.state;
    const last = play.said.at(-2)!;
    play.do({ type: 'scrolled', atBottom: false, reading: last.id }).do({ type: 'newer_asked' });
    const page = entries(Number(last.text.slice(1)) + 1, KEEP + 5);
    play.ok('mine', KEEP + 6).hear(mine).do({ type: 'newer', after: last.id!, entries: page, more: false, gap: false });
    expect([texts(play).slice(-2), play.state.unread, play.state.newer]).toEqual([[`m${KEEP + 5}`, 'mine'], unread, 'none']);
    expect(play.said.at(-1)!.mine).toBe(true);
  });

  it('of another room are not shown', () => {
    const play = reading().do({ type: 'newer_asked' });
    const last = newestId(play.state.items)!;
    play.enter({ history: entries(5000, 5001) }, { room: 'den' });
    play.do({ type: 'newer', after: last, entries: entries(KEEP, KEEP + 1), more: false, gap: false });
    expect([texts(play), play.state.newer]).toEqual([['m5000', 'm5001'], 'none']);
  });

  it('asked for when the connection broke, are asked for again', () => {
    expect(reading().do({ type: 'newer_asked' }).do({ type: 'cut' }).state.newer).toBe('more');
    expect(reading().do({ type: 'newer_asked' }).do({ type: 'newer_failed' }).state.newer).toBe('more');
  });
});

describe('Older messages', () => {
  it('of another room are not shown', () => {
    const play = new Play().enter({ history: entries(51, 60) }).do({ type: 'older_asked' });
    const before = oldestId(play.state.items)!;
    play.enter({ history: entries(5000, 5001) }, { room: 'den' }).do({ type: 'older', before, entries: entries(1, 50), more: false });
    expect([texts(play), play.state.older]).toEqual([['m5000', 'm5001'], 'more']);
  });

  it('leave no hole where the first rows went meanwhile', () => {
    const play = new Play().enter({ history: entries(51, 60) }).do({ type: 'older_asked' });
    const before = oldestId(play.state.items)!;
    for (let n = 61; n <= KEEP + 60; n++) play.hear(entry(n));
    const first = texts(play)[0];
    expect(first).not.toBe('m51');
    play.do({ type: 'older', before, entries: entries(1, 50), more: false });
    expect([texts(play)[0], play.state.older]).toEqual([first, 'more']);
  });
});

describe('To the end', () => {
  const latest = entries(KEEP - 48, KEEP + 1);

  it('where the list reaches it, at once', () => {
    const play = after(10).do({ type: 'scrolled', atBottom: false, reading: id(1) }).hear(entry(11)).do({ type: 'to_end' });
    expect([play.state.atBottom, play.state.unread, play.state.newer]).toEqual([true, 0, 'none']);
  });

  it('elsewhere the newest page takes the place of the rows', () => {
    const play = reading().do({ type: 'to_end' });
    expect([play.state.newer, play.state.atBottom]).toEqual(['jumping', false]);
    play.hear(entry(KEEP + 2)).do({ type: 'latest', entries: latest });
    expect(texts(play)).toEqual(entries(KEEP - 48, KEEP + 2).map((one) => one.msg));
    expect([play.state.newer, play.state.older, play.state.atBottom, play.state.unread]).toEqual(['none', 'more', true, 0]);
  });

  it('sending asks for it, and the message stays', () => {
    const play = reading().write('mine').sent('mine').ok('mine', KEEP + 2);
    expect(play.state.newer).toBe('jumping');
    play.do({ type: 'latest', entries: latest });
    expect(texts(play).slice(-2)).toEqual([`m${KEEP + 1}`, 'mine']);
  });

  it('a page of newer messages that comes first changes nothing', () => {
    const play = reading().do({ type: 'newer_asked' });
    const last = newestId(play.state.items)!;
    play.do({ type: 'to_end' }).do({ type: 'newer', after: last, entries: entries(KEEP - 100, KEEP - 50), more: true, gap: false });
    expect(play.state.newer).toBe('jumping');
    play.do({ type: 'latest', entries: latest });
    expect([texts(play).at(-1), play.state.newer, play.state.atBottom]).toEqual([`m${KEEP + 1}`, 'none', true]);
  });

  it('however much arrives meanwhile', () => {
    const play = reading().do({ type: 'to_end' });
    for (let n = KEEP + 2; n <= 2 * KEEP + 5; n++) play.hear(entry(n));
    play.do({ type: 'latest', entries: latest });
    expect([play.state.newer, play.state.older, play.state.atBottom]).toEqual(['none', 'more', true]);
    const shown = texts(play);
    expect(shown).toEqual(entries(2 * KEEP + 6 - shown.length, 2 * KEEP + 5).map((one) => one.msg));
  });

  it('is asked for again after a cut', () => {
    const play = reading().do({ type: 'to_end' }).do({ type: 'cut' }).enter({ history: [], resumed: true });
    expect(play.state.newer).toBe('jumping');
  });

  it('whispers stay', () => {
    const play = reading().hear(whisper('now')).do({ type: 'to_end' }).do({ type: 'latest', entries: latest });
    expect(play.whispers.map((item) => item.text)).toEqual(['now']);
  });

  it('a room whose history the server left out is asked for it', () => {
    const play = reading().enter({ history: [], gap: true }, { room: 'den' });
    expect([play.state.newer, mood(play.state)]).toEqual(['jumping', 'opening']);
    play.hear(entry(KEEP + 2)).do({ type: 'latest', entries: latest });
    expect(texts(play)).toEqual(entries(KEEP - 48, KEEP + 2).map((one) => one.msg));
    expect([play.state.newer, play.state.older, play.state.atBottom, play.state.unread]).toEqual(['none', 'more', true, 0]);
  });

  it('what is no longer kept leaves the list as it is', () => {
    const play = after(10).do({ type: 'cut' }).enter({ history: [], gap: true });
    expect([texts(play).length, play.state.newer]).toEqual([10, 'none']);
  });

  it('another room has its own end', () => {
    const play = reading().enter({ history: entries(1, 2) }, { room: 'den' });
    expect([play.state.newer, play.state.atBottom]).toEqual(['none', true]);
  });
});

import { describe, expect, it } from 'vitest';
import { MOST_IDS, MOST_ROOMS, packOwn, unpackOwn } from '../src/state/own';
import { begin } from '../src/state/reduce';
import { bar } from '../src/state/view';
import { Play, START, entries, entry, id } from './help';

/** The same tab after a reload, which keeps only what was packed. */
function reloaded(before: Play, room = before.state.room): Play {
  const after = new Play();
  after.state = begin(room, before.state.token, START, { partner: null, drafts: [], own: unpackOwn(packOwn(before.state.own)) });
  return after;
}

const mine = (play: Play): string[] => play.said.filter((item) => item.mine).map((item) => item.text);

/** A person whose message is the third of five. */
const spoke = (): Play => new Play().enter({ history: entries(1, 2) }).write('m3').sent('m3').ok('m3', 3);

describe("The user's own messages", () => {
  it.each([true, false])('are recognised after a reload, resumed: %s', (resumed) => {
    const after = reloaded(spoke()).enter({ history: entries(1, 5), resumed, username: resumed ? '阿狸' : 'owl' });
    expect(mine(after)).toEqual(['m3']);
  });

  it('are recognised in what is older', () => {
    const after = reloaded(spoke()).enter({ history: [entry(9)], more: true });
    after.do({ type: 'older', before: id(9), entries: entries(1, 5), more: false });
    expect(mine(after)).toEqual(['m3']);
  });

  it('are recognised when the frame came and the ack did not', () => {
    const before = new Play().enter().hear({ ...entry(3), sid: 'me' });
    expect(mine(reloaded(before).enter({ history: entries(1, 5) }))).toEqual(['m3']);
  });

  /** A message whose answer was lost. */
  const doubtful = (text: string) => new Play().enter({ history: [entry(1)] }).write(text, 'c').sent('c').do({ type: 'cut' }, 5);

  it.each(['own', '//own', '/say own'])('are neither missed nor new (%s)', (text) => {
    const msg = text === '//own' ? '/own' : 'own';
    const play = doubtful(text).enter({ resumed: true, history: [entry(2, '阿狸', msg), entry(3), entry(4)] }, {}, 20);
    expect([bar(play.state), play.state.lineAt, play.state.received, mine(play)]).toEqual([{ code: 'back', count: 2 }, id(3), 2, [msg, text]]);
    expect(mine(play.sent('c').ok('c', 2))).toEqual([msg]);
  });

  it('are neither missed nor new, alone in the room', () => {
    const play = doubtful('own').enter({ resumed: true, history: [entry(2, '阿狸', 'own')] }, {}, 20);
    expect([bar(play.state), play.state.lineAt, play.state.unread]).toEqual([{ code: 'back', count: 0 }, null, 0]);
  });

  it('are not another person’s messages with the same text', () => {
    const play = doubtful('own').enter({ resumed: true, history: [entry(2, 'fox', 'own')] }, {}, 20);
    expect([bar(play.state), play.state.lineAt]).toEqual([{ code: 'back', count: 1 }, id(2)]);
  });

  it('are recognised in their room only', () => {
    const elsewhere = reloaded(spoke(), 'tea').enter({ history: entries(1, 5) }, { room: 'tea' });
    expect(mine(elsewhere)).toEqual([]);
    elsewhere.do({ type: 'go', room: 'LOBBY' }).enter({ history: entries(1, 5) });
    expect(mine(elsewhere)).toEqual(['m3']);
  });

  it('are forgotten from the oldest on', () => {
    const play = new Play().enter();
    for (let n = 1; n <= MOST_IDS + 1; n++) play.hear({ ...entry(n), sid: 'me' });
    expect(play.state.own[0]!.ids.size).toBe(MOST_IDS);
    expect(play.state.own[0]!.ids.has(id(1))).toBe(false);
    for (let n = 1; n <= MOST_ROOMS; n++) play.do({ type: 'go', room: `r${n}` }).enter({}, { room: `r${n}` }).hear({ ...entry(n), sid: 'me' });
    expect(play.state.own.map((one) => one.room)).toEqual(Array.from({ length: MOST_ROOMS }, (_, n) => `r${n + 1}`));
  });

  it.each(['', '{', 'null', '{}', '[1, [], [1], ["a", 2]]'])('are none where nothing sensible is stored: %s', (text) => {
    expect(unpackOwn(text)).toEqual([]);
  });
});

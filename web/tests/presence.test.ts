import { describe, expect, it } from 'vitest';
import type { Pair, ServerFrame } from '../src/wire';
import { wakeAt } from '../src/state/view';
import { Play, START, entry } from './help';

const here = () => new Play().enter();
const fox: Pair = ['fox', 'f'];
const owl: Pair = ['owl', 'o'];
const named = ([username, sid]: Pair, to: string): ServerFrame => ({ action: 'rename', username, to, sid, msg: '', time: '' });
const many = (count: number): Pair[] => Array.from({ length: count }, (_, index) => [`n${index}`, `s${index}`]);

describe('Coming and going', () => {
  it('the first is shown at once', () => {
    expect(here().roster([fox], []).shown).toEqual(['+fox']);
  });

  it('the user is not shown', () => {
    expect(here().roster([['阿狸', 'me']], []).shown).toEqual([]);
  });

  it('of a whole minute are one line while no message comes', () => {
    expect(here().roster([fox], [], 0).roster([owl], [], 30).shown).toEqual(['+fox +owl']);
  });

  it('that line keeps its key and its place', () => {
    const play = here().roster([fox], [], 0);
    const { key, at } = play.state.items[0]!;
    play.roster([owl], [], 30);
    expect(play.state.items[0]).toMatchObject({ key, at });
  });

  it('after talk waits until the minute is over', () => {
    const play = here().roster([fox], [], 0).hear(entry(1), 1).roster([owl], [], 30);
    expect(play.shown).toEqual(['+fox', 'm1']);
    expect(play.do({ type: 'tick' }, 59.9).shown).toEqual(['+fox', 'm1']);
    expect(play.do({ type: 'tick' }, 60).shown).toEqual(['+fox', 'm1', '+owl']);
  });

  it('what one is just sending does not end the line', () => {
    expect(here().roster([fox], [], 0).write('x').roster([owl], [], 5).shown).toEqual(['+fox +owl', 'x (sending)']);
  });

  it('after a minute is a new line', () => {
    expect(here().roster([fox], [], 0).roster([owl], [], 61).shown).toEqual(['+fox', '+owl']);
  });

  it.each([1, 5, 9.9])('a return after %f s is not shown', (seconds) => {
    const play = here().roster([fox], [], 0).hear(entry(1)).roster([], [fox], 100).roster([fox], [], 100 + seconds);
    expect(play.do({ type: 'tick' }, 300).shown).toEqual(['+fox', 'm1']);
  });

  it('a leave is shown after ten seconds', () => {
    const play = here().roster([fox], [], 0).roster([], [fox], 100);
    expect(play.do({ type: 'tick' }, 109.9).shown).toEqual(['+fox']);
    expect(play.do({ type: 'tick' }, 110).shown).toEqual(['+fox', '-fox']);
  });

  it('a return after ten seconds is shown, too', () => {
    const play = here().roster([fox], [], 0).roster([], [fox], 100).do({ type: 'tick' }, 110).roster([fox], [], 112);
    expect(play.shown).toEqual(['+fox', '+fox']);
  });

  it('a person who is back is removed from the leaves of the same line', () => {
    const play = here().roster([fox], [], 0).roster([], [fox], 20).do({ type: 'tick' }, 30);
    expect(play.shown).toEqual(['+fox -fox']);
    expect(play.roster([fox], [], 40).shown).toEqual(['+fox']);
  });

  it('a join that is not shown yet is shown under the new name', () => {
    const play = here().roster([fox], [], 0).hear(entry(1), 1).roster([owl], [], 2).hear(named(owl, 'elk'));
    expect(play.do({ type: 'tick' }, 60).shown).toEqual(['+fox', 'm1', '+elk']);
  });

  it('the leave of a name’s former owner is above the rename to it', () => {
    const play = here().roster([fox, owl], [], 0).hear(entry(1), 1).roster([], [fox], 6).hear(named(owl, 'fox'));
    expect(play.shown).toEqual(['+fox +owl', 'm1', '-fox', '[renamed]']);
  });

  it('a rename right after the last line adds the leave to it', () => {
    const play = here().roster([fox, owl], [], 0).hear(entry(1), 1).roster([], [fox], 2).hear(named(owl, 'fox'));
    expect(play.shown).toEqual(['+fox +owl -fox', 'm1', '[renamed]']);
  });

  it('are at most one line per 5 s, whatever one address does', () => {
    // Nineteen people; each leaves, one takes the name and sends a message, and so on, one per second.
    const play = here().roster(many(18), [], 0).roster([owl], [], 0);
    let name = 'owl';
    for (const [turn, pair] of many(18).entries()) {
      play.roster([], [pair], 100 + turn).hear(named([name, 'o'], pair[0])).hear(entry(turn + 1, pair[0]));
      name = pair[0];
    }
    expect(play.said.length).toBe(18);
    expect(play.state.items.filter((item) => item.kind === 'presence').length).toBeLessThanOrEqual(1 + 4);
  });

  it('a person who joined and left before either was shown is not shown', () => {
    const play = here().roster([fox], [], 0).hear(entry(1)).roster([owl], [], 10).roster([], [owl], 20).do({ type: 'tick' }, 90);
    expect(play.shown).toEqual(['+fox', 'm1']);
  });

  it('many at once are one line', () => {
    expect(here().roster(many(5), []).shown).toEqual(['+n0 +n1 +n2 +n3 +n4']);
  });

  it('in a crowd, strangers come and go unnoticed', () => {
    const play = here().roster(many(30), [], 0).roster([fox], [], 5).roster([], [fox], 10);
    expect(play.do({ type: 'tick' }, 120).shown).toEqual([]);
  });

  it('in a crowd, people who sent messages are shown', () => {
    const play = here().roster([...many(30), fox], [], 0).hear(entry(1, 'fox')).roster([], [fox], 10).do({ type: 'tick' }, 20);
    expect(play.shown).toEqual(['m1', '-fox']);
  });

  it.each([
    [20, ['+fox']],
    [21, []],
  ])('a crowd is more than twenty: with %i', (count, expected) => {
    expect(here().roster([fox], [], 0, count).shown).toEqual(expected);
  });

  it('when a crowd leaves, no one is named', () => {
    const play = here().roster(many(30), [], 0).roster([], many(30).slice(15), 5).roster([], many(15), 6);
    expect(play.do({ type: 'tick' }, 120).shown).toEqual([]);
  });

  it('in a room that was a crowd earlier, all are shown', () => {
    const play = here().roster(many(30), [], 0).roster([], many(29), 5).roster([], many(30).slice(29), 16);
    expect(play.do({ type: 'tick' }, 120).shown).toEqual(['-n29']);
  });

  it('a full roster’s login and logout count, too', () => {
    const play = here().hear({ action: 'login', username: 'fox', sid: 'f', count: 2, time: '' });
    expect([play.state.count, play.state.people.get('f')]).toEqual([2, 'fox']);
    play.hear({ action: 'logout', username: 'fox', sid: 'f', count: 1, time: '' });
    expect([play.state.count, play.state.people.has('f')]).toEqual([1, false]);
  });

  it('wakes when a leave is due', () => {
    expect(wakeAt(here().roster([fox], [], 0).roster([], [fox], 100).state)).toBe(START + 110_000);
  });

  it('wakes when the minute is over', () => {
    expect(wakeAt(here().roster([fox], [], 0).hear(entry(1)).roster([owl], [], 5).state)).toBe(START + 60_000);
  });

  it('the people’s list follows every frame, whatever is shown', () => {
    const play = here().roster(many(30), []).roster([fox], [['n3', 's3']]);
    expect([play.state.people.has('f'), play.state.people.has('s3'), play.state.people.size]).toEqual([true, false, 31]);
  });
});

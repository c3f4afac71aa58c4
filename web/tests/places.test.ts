import { describe, expect, it } from 'vitest';
import { parse } from '../src/lib/markdown';
import { isSameRoom, pathOf, roomIn } from '../src/lib/places';

const ROOMS = ['tea', '茶馆', 'Tea House', 'wow!', "it's", '(a) [b]', 'a.', '...', 'x_', '~', '*', 'a,b;', '50%', '%2e%2e', 'a?b#c&d', 'a\\b', '🍵', 'é', '"<>'];

describe('the address of a room', () => {
  it.each(ROOMS)('of %s leads to it, under any base', (room) => {
    for (const root of ['/', '/chat/', '/a/b/']) {
      const url = new URL(pathOf(room, root), 'http://chat.example');
      expect(roomIn(url.pathname, root)).toBe(room);
      expect(roomIn(`${url.pathname}/`, root)).toBe(room);
    }
  });

  // Programs that make links of addresses stop at other letters and leave out punctuation at the end.
  it.each(ROOMS)('of %s stays a whole link wherever it is pasted', (room) => {
    const path = pathOf(room, '/');
    expect(path).toMatch(/^\/r\/[A-Za-z0-9%._~-]*[A-Za-z0-9-]$/);
    const address = `http://chat.example${path}`;
    for (const text of [address, `(see ${address}).`, `来${address}，快`]) {
      const links = JSON.stringify(parse(text)).match(/"href":"[^"]*"/g);
      expect(links).toEqual([`"href":"${address}"`]);
    }
  });

  it('of the lobby is the shortest', () => {
    expect([pathOf('lobby', '/chat/'), roomIn('/chat/', '/chat/'), roomIn('/', '/')]).toEqual(['/chat/', 'lobby', 'lobby']);
  });

  it('that cannot be read names what it says', () => {
    expect(roomIn('/r/%E4%zz', '/')).toBe('%E4%zz');
  });
});

describe('Two rooms', () => {
  it.each([
    ['Tea', 'ｔｅａ', true],
    ['می\u200cخواهم', 'میخواهم', true],
    ['❤\ufe0f', '❤', true],
    ['tea', 'teas', false],
    ['👨\u200d👩\u200d👧', '👨\u200d👩\u200d👦', false],
    ['🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}', '🏴', false],
  ])('%j and %j are one: %j', (one, other, expected) => {
    expect(isSameRoom(one, other)).toBe(expected);
  });
});

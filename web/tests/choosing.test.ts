import { describe, expect, it } from 'vitest';
import { chooseBy, markedIn } from '../src/lib/choosing';
import { complete } from '../src/lib/complete';
import { isInside } from '../src/state/recall';

const offered = (text: string, names = ['Bob', 'bo', 'Bobby']) => complete(text, text.length, [], () => names);

/** Press keys one after the other; the last one's choice. */
function press(text: string, ...keys: string[]) {
  let picked: string | null = null;
  let choice: ReturnType<typeof chooseBy> = null;
  for (const key of keys) {
    choice = chooseBy({ key: key.replace('Shift+', ''), shiftKey: key.startsWith('Shift+') }, offered(text), picked);
    if (choice !== null && choice !== 'hide' && 'pick' in choice) picked = choice.pick;
  }
  return choice;
}

describe('Of the suggestions', () => {
  it.each([
    // Part of a name: Enter completes it.
    ['@b', ['Enter'], { take: 0 }],
    ['@b', ['Tab'], { take: 0 }],
    ['@b', ['ArrowDown', 'Enter'], { take: 1 }],
    ['@b', ['ArrowUp'], { pick: 'Bobby' }],
    ['@b', ['ArrowDown', 'ArrowDown', 'ArrowDown'], { pick: 'Bob' }],
    ['@b', ['Shift+Enter'], null],
    ['@b', ['Escape'], 'hide'],
    ['@b', ['ArrowLeft'], null],
    // All of a name: Enter sends, unless the arrows chose.
    ['to:bob', ['Enter'], null],
    ['to:bob', ['Tab'], { take: 0 }],
    ['to:bob', ['ArrowDown', 'Enter'], { take: 0 }],
    ['to:bob', ['ArrowUp'], { pick: 'Bobby' }],
    // There are none.
    ['hello', ['Enter'], null],
    ['hello', ['ArrowDown'], null],
    ['hello', ['Escape'], null],
  ])('after %j the keys %j choose %j', (text, keys, choice) => {
    expect(press(text, ...keys)).toEqual(choice);
  });

  it('the one that was picked stays so when others come and go', () => {
    const names = ['Ann', 'bo', 'Bob'];
    expect(chooseBy({ key: 'Enter', shiftKey: false }, offered('@', names), 'Bob')).toEqual({ take: 2 });
    expect(markedIn(offered('@', ['bo']), 'Bob')).toBe(0);
  });
});

describe('An arrow key', () => {
  it.each([
    ['one', 1, -1, false],
    ['one\ntwo', 1, -1, false],
    ['one\ntwo', 5, -1, true],
    ['one\ntwo', 1, 1, true],
    ['one\ntwo', 5, 1, false],
  ] as const)('in %j at %i (%i) moves the caret between lines: %j', (value, at, by, expected) => {
    expect(isInside({ value, selectionStart: at, selectionEnd: at }, by)).toBe(expected);
  });
});

// First, so that what the others bring is compiled with its blocks counted.
import { cost } from './cost';
import { describe, expect, it } from 'vitest';
import { isBlank } from '../src/lib/blank';
import { complete } from '../src/lib/complete';
import { parse } from '../src/lib/markdown';
import { findMentions } from '../src/lib/mention';

const upTo = (length: number, piece: (n: number) => string): string => {
  let text = '';
  for (let n = 0; text.length < length; n++) text += piece(n);
  return text.slice(0, length);
};
const half = (piece: string, other: string) => (length: number) => upTo(length / 2, () => piece) + upTo(length / 2, () => other);

/** Texts of a length, each built so that a search that begins anew for every mark would go through all of it. */
const hostile: Record<string, (length: number) => string> = {
  stars: (length) => '*'.repeat(length),
  'open bold': (length) => upTo(length, () => '**a '),
  'open italic': (length) => upTo(length, () => '*a '),
  'open underscores': (length) => upTo(length, () => '_a '),
  'open double underscores': (length) => upTo(length, () => '__a '),
  'bold in pairs': (length) => upTo(length, () => '**a'),
  'closing stars': (length) => upTo(length, () => 'a** '),
  'opened, then closed': half('*a ', ' a*'),
  'opened twice, then closed': half('**a *b ', ' a* b**'),
  'opened by one mark, closed by another': half('*a ', ' a_'),
  'opened by two, closed by one': half('**a ', ' a*'),
  'faces, opened then closed': half('*^ ', ' ^*'),
  'names of code': half('__a ', '_a__ '),
  'in words': half('a**b ', 'c**d '),
  'all marks': (length) => upTo(length, (n) => ['*a ', '_b ', '**c ', '__d ', ' e*', ' f_', ' g**', ' h__'][(n * 5) % 8]!),
  'rising stars': (length) => upTo(length, (n) => '*'.repeat(n) + 'a '),
  escapes: (length) => '\\'.repeat(length),
  'escaped stars': (length) => upTo(length, () => '\\*'),
  ticks: (length) => '`'.repeat(length),
  'rising ticks': (length) => upTo(length, (n) => '`'.repeat(n + 1) + ' '),
  'falling ticks': (length) => upTo(length, (n) => '`'.repeat(Math.max(1, Math.floor(Math.sqrt(2 * length)) - n)) + ' '),
  'ticks around nothing': (length) => upTo(length, (n) => '`'.repeat((n % 40) + 1) + '\u200b'),
  'padded code': (length) => '` ' + 'a'.repeat(length - 3) + '`',
  brackets: (length) => '['.repeat(length),
  'closing brackets': (length) => ']'.repeat(length),
  'half links': (length) => upTo(length, () => '[a]('),
  'half links with addresses': (length) => upTo(length, () => '[a](https://a'),
  'links in links': half('[a](https://a/(', ')'),
  'labels in labels': half('[a', '](https://a)'),
  'links to nowhere': (length) => upTo(length, () => '[a](https://%)'),
  'links with strange labels': (length) => upTo(length, () => '[a.b](https://c)'),
  'half addresses': (length) => upTo(length, () => 'https://'),
  'addresses that are none': (length) => upTo(length, () => 'https://a%/'),
  'addresses with users': (length) => upTo(length, () => 'https://a:b'),
  'addresses without scheme': (length) => upTo(length, () => 'www.a.b:'),
  'addresses in a host': (length) => upTo(length, () => '中www.'),
  'addresses in a host with a scheme': (length) => 'http://' + upTo(length - 7, () => '中www.'),
  'a host of many parts': (length) => 'http://' + upTo(length - 7, () => 'a中.'),
  'a host and a user': (length) => upTo(length, () => 'http://a:'),
  'opening parentheses': (length) => 'https://a/' + '('.repeat(length - 10),
  'closing parentheses': (length) => 'https://a/' + ')'.repeat(length - 10),
  'trailing points': (length) => upTo(length, () => 'https://a/.....'),
  'nested quotes': (length) => upTo(length, () => '> '),
  'tight nested quotes': (length) => '>'.repeat(length - 1) + 'a',
  'quoted lines': (length) => upTo(length, () => '>\n'),
  'deep quoted lines': (length) => upTo(length, (n) => '>'.repeat(n % 50) + 'a\n'),
  'empty quotes between lines': (length) => upTo(length, () => '>\na\n'),
  fences: (length) => upTo(length, () => '```\n'),
  'fences with a language': (length) => upTo(length, () => '```a\n'),
  'rising fences': (length) => upTo(length, (n) => '`'.repeat(n + 3) + '\n'),
  'falling fences': (length) => upTo(length, (n) => '`'.repeat(Math.max(3, Math.floor(Math.sqrt(2 * length)) - n)) + 'a\n'),
  'fences in quotes': (length) => upTo(length, () => '> ```\n'),
  'fences around nothing': (length) => upTo(length, () => '```\n\n'),
  lines: (length) => '\n'.repeat(length),
  'invisible lines': (length) => upTo(length, () => '\u200b\n'),
  mentions: (length) => upTo(length, () => '@fo'),
  'long names': (length) => upTo(length, () => '@' + 'a'.repeat(31)),
  'at signs': (length) => '@'.repeat(length),
  slashes: (length) => '/'.repeat(length),
  spaces: (length) => ' '.repeat(length),
  plain: (length) => upTo(length, () => '说 a, '),
  emoji: (length) => upTo(length, () => '👩‍👩‍👧'),
};

/** A character of a long text costs as much as one of a short text. */
function growsLinearly(work: (text: string) => void, text: (length: number) => string): void {
  const [short, long] = [2_000, 16_000].map((length) => {
    const whole = text(length);
    return cost(() => work(whole)) / length;
  }) as [number, number];
  expect(long, `${short.toFixed(1)} steps per character at 2,000 characters, ${long.toFixed(1)} at 16,000`).toBeLessThan(short * 1.25 + 2);
}

describe('The longest and the strangest', () => {
  it.each(Object.entries(hostile))('%s cost as much per character at any length', (_, text) => {
    growsLinearly((whole) => void parse(whole), text);
  });

  it.each(Object.entries(hostile))('names are found in %s at a steady cost', (_, text) => {
    growsLinearly((whole) => void findMentions(whole, 'foo'), text);
    growsLinearly((whole) => void findMentions(whole, 'a'.repeat(32)), text);
    growsLinearly((whole) => void isBlank(whole), text);
  });

  it.each(Object.entries(hostile))('what is typed is completed after %s at a steady cost', (_, text) => {
    growsLinearly((whole) => void complete(whole, whole.length, [{ usage: '/who', help: {} }], () => ['fox']), text);
  });

  it('a quadratic cost is found', () => {
    const square = (whole: string): void => {
      for (let at = 0; at < whole.length; at += 100) whole.indexOf('x', at);
    };
    expect(() => growsLinearly(square, hostile['spaces']!)).toThrow('steps per character');
    const loops = (whole: string): void => {
      let pairs = 0;
      for (let at = 0; at < whole.length / 10; at++) for (let other = 0; other < at; other++) pairs += 1;
      expect(pairs).toBeGreaterThan(0);
    };
    expect(() => growsLinearly(loops, hostile['spaces']!)).toThrow('steps per character');
  });
});

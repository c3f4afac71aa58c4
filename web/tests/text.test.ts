import { describe, expect, it } from 'vitest';
import { isBlank } from '../src/lib/blank';
import { complete } from '../src/lib/complete';
import { parse, type Block, type Inline } from '../src/lib/markdown';
import { findMentions, mentions } from '../src/lib/mention';

/** A tree as short text: `b(…)` bold, `i(…)` italic, `c(…)` code, `l(href|…)` link, `q(…)` quote, `k(…)` code block, `/` break. */
function flat(nodes: Inline[]): string {
  return nodes
    .map((node) => {
      switch (node.kind) {
        case 'text':
          return node.text;
        case 'bold':
          return `b(${flat(node.children)})`;
        case 'italic':
          return `i(${flat(node.children)})`;
        case 'code':
          return `c(${node.text})`;
        case 'link':
          return `l(${node.href}|${flat(node.children)})`;
        case 'break':
          return '/';
      }
    })
    .join('');
}

function tree(blocks: Block[]): string {
  return blocks
    .map((block) => {
      switch (block.kind) {
        case 'paragraph':
          return flat(block.children);
        case 'quote':
          return `q(${tree(block.children)})`;
        case 'codeblock':
          return `k(${block.text})`;
      }
    })
    .join(' ¶ ');
}

describe('Markdown-lite', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['   ', ''],
    ['a\nb', 'a/b'],
    ['a\r\nb', 'a/b'],
    ['a\n\nb', 'a//b'],
    ['\n\na\n\n', 'a'],
    ['**bold**', 'b(bold)'],
    ['*italic*', 'i(italic)'],
    ['_italic_', 'i(italic)'],
    ['__bold__', 'b(bold)'],
    ['**a *b* c**', 'b(a i(b) c)'],
    ['*a **b** c*', 'i(a b(b) c)'],
    ['**「重点」**是', 'b(「重点」)是'],
    ['这是**重点**。', '这是b(重点)。'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['2*3*4', '2i(3)4'],
    ['* star', '* star'],
    ['**', '**'],
    ['****', '****'],
    ['**a', '**a'],
    ['*a', '*a'],
    ['a**', 'a**'],
    ['** a **', '** a **'],
    ['snake_case_name', 'snake_case_name'],
    ['_a_b_', 'i(a_b)'],
    ['*a\nb*', '*a/b*'],
    ['\\*not\\*', '*not*'],
    ['\\n', '\\n'],
    ['C:\\dir', 'C:\\dir'],
    ['`code`', 'c(code)'],
    ['`**raw**`', 'c(**raw**)'],
    ['``a`b``', 'c(a`b)'],
    ['`a', '`a'],
    ['``', '``'],
    ['` a `', 'c(a)'],
    ['```\nblock\n  two\n```', 'k(block\n  two)'],
    ['```js\nx < 1\n```', 'k(x < 1)'],
    ['```\nopen', '```/open'],
    ['a\n```\nb\n```\nc', 'a ¶ k(b) ¶ c'],
    ['```one```', 'c(one)'],
    ['> quote', 'q(quote)'],
    ['>quote', 'q(quote)'],
    ['> a\n> b', 'q(a/b)'],
    ['> a\nb', 'q(a) ¶ b'],
    ['> > deep', 'q(q(deep))'],
    ['> **b**', 'q(b(b))'],
    ['>_<', '>_<'],
    ['>:(', '>:('],
    ['a > b', 'a > b'],
    ['# no heading', '# no heading'],
    ['- no list', '- no list'],
    ['1. no list', '1. no list'],
    ['---', '---'],
    ['    indented', '    indented'],
    ['| a | b |', '| a | b |'],
  ])('%j', (text, expected) => {
    expect(tree(parse(text))).toBe(expected);
  });
});

describe('Links', () => {
  it.each([
    ['https://example.com', 'l(https://example.com/|https://example.com)'],
    ['http://example.com/a?b=c#d', 'l(http://example.com/a?b=c#d|http://example.com/a?b=c#d)'],
    ['see https://example.com.', 'see l(https://example.com/|https://example.com).'],
    ['(https://example.com)', '(l(https://example.com/|https://example.com))'],
    ['https://example.com/a_(b)', 'l(https://example.com/a_(b)|https://example.com/a_(b))'],
    ['https://example.com/a_b_c', 'l(https://example.com/a_b_c|https://example.com/a_b_c)'],
    ['看https://example.com，好的', '看l(https://example.com/|https://example.com)，好的'],
    ['https://example.com这里', 'l(https://example.com/|https://example.com)这里'],
    ['**https://example.com**', 'b(l(https://example.com/|https://example.com))'],
    ['[label](https://example.com)', 'l(https://example.com/|label)'],
    ['[a](https://example.com/x_(y))', 'l(https://example.com/x_(y)|a)'],
    ['[a](javascript:alert(1))', '[a](javascript:alert(1))'],
    ['[a](data:text/html,x)', '[a](data:text/html,x)'],
    ['[a](//example.com)', '[a](//example.com)'],
    ['[a]( https://example.com)', '[a]( l(https://example.com/|https://example.com))'],
    ['[](https://example.com)', '[](l(https://example.com/|https://example.com))'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
    ['xhttps://example.com', 'xhttps://example.com'],
    ['https://', 'https://'],
    ['http://:80', 'http://:80'],
    ['`https://example.com`', 'c(https://example.com)'],
    ['ftp://example.com', 'ftp://example.com'],
    ['<https://example.com>', '<l(https://example.com/|https://example.com)>'],
    ['https://example.com/"onclick="x', 'l(https://example.com/|https://example.com/)"onclick="x'],
  ])('%j', (text, expected) => {
    expect(tree(parse(text))).toBe(expected);
  });

  it('every link is an address of the web', () => {
    const hostile = ['javascript:', 'data:', 'vbscript:', 'file:///', 'blob:', ' javascript:', 'JaVaScRiPt:', 'java\tscript:', 'https:javascript:'];
    for (const scheme of hostile) {
      for (const text of [`[a](${scheme}x)`, `${scheme}alert(1)`, `<${scheme}x>`, `[a]: ${scheme}x`, `![a](${scheme}x)`]) {
        expect(tree(parse(text))).not.toMatch(/l\((?!https?:\/\/)/);
      }
    }
  });
});

describe('The longest and the strangest', () => {
  it.each([
    ['stars', '*'.repeat(16_000)],
    ['pairs of stars', '**a'.repeat(5_000)],
    ['underscores', '_a'.repeat(8_000)],
    ['ticks', '`'.repeat(16_000)],
    ['growing ticks', Array.from({ length: 170 }, (_, n) => '`'.repeat(n)).join(' ')],
    ['brackets', '['.repeat(16_000)],
    ['half links', '[a]('.repeat(4_000)],
    ['half addresses', 'https://'.repeat(2_000)],
    ['closing brackets', 'https://a/' + ')'.repeat(15_000)],
    ['quotes', '> '.repeat(8_000)],
    ['quoted lines', '>\n'.repeat(8_000)],
    ['fences', '```\n'.repeat(4_000)],
    ['odd fences', '```a\n'.repeat(3_000)],
    ['lines', '\n'.repeat(16_000)],
  ])('%s take no time', (_, text) => {
    // Quadratic time takes seconds, whoever else is at work; of three times the least is the text's own.
    const times = [1, 2, 3].map(() => {
      const began = performance.now();
      parse(text);
      return performance.now() - began;
    });
    expect(Math.min(...times)).toBeLessThan(500);
  });

  it('no character of the text is lost but marks', () => {
    const text = 'zero\u200Bwidth \u202Eright \uD83D\uDE00 \uD800 lone';
    expect(tree(parse(text))).toBe(text);
  });
});

describe('Being spoken to', () => {
  it.each([
    ['@fox', 'fox', true],
    ['hi @fox!', 'fox', true],
    ['@FOX', 'fox', true],
    ['@foxes', 'fox', false],
    ['@fox2', 'fox', false],
    ['@fox你好', 'fox', true],
    ['@狡猾的狐狸你好', '狡猾的狐狸', true],
    ['@狡猾', '狡猾的狐狸', false],
    ['fox', 'fox', false],
    ['@two words here', 'two words', true],
    ['@', '', false],
    ['@foxes and @fox', 'fox', true],
    ['İ@fox', 'fox', false],
  ])('%j for %j: %s', (text, name, expected) => {
    expect(mentions(text, name)).toBe(expected);
  });

  it('says where', () => {
    expect(findMentions('a @fox b @fox', 'fox')).toEqual([
      [2, 6],
      [9, 13],
    ]);
  });
});

describe('Completion', () => {
  const commands = [
    { usage: '/name [NEW]', help: { en: 'take another name', zh: '换名字' } },
    { usage: '/nick', help: {} },
    { usage: '/who', help: {} },
  ];
  const names = ['fox', 'Fowl', '阿狸', 'two words'];
  const offered = (text: string) => complete(text, text.length, commands, names).map((one) => one.insert);

  it.each([
    ['/', ['/name ', '/nick ', '/who ']],
    ['/n', ['/name ', '/nick ']],
    ['/N', ['/name ', '/nick ']],
    ['  /w', ['/who ']],
    ['/name ', []],
    ['//', []],
    ['a /n', []],
    ['@', ['@fox ', '@Fowl ', '@阿狸 ', '@two words ']],
    ['@fo', ['@fox ', '@Fowl ']],
    ['hi @阿', ['@阿狸 ']],
    ['嗨@阿', ['@阿狸 ']],
    ['mail@fo', []],
    ['@@fo', []],
    ['@nobody', []],
    ['plain', []],
  ])('%j offers %j', (text, expected) => {
    expect(offered(text)).toEqual(expected);
  });

  it('looks only at what is before the caret', () => {
    expect(complete('@fo later', 3, [], names).map((one) => [one.insert, one.start])).toEqual([
      ['@fox ', 0],
      ['@Fowl ', 0],
    ]);
  });

  it('explains in one’s own language', () => {
    expect(complete('/na', 3, commands, [], 'zh').map((one) => [one.label, one.hint])).toEqual([['/name [NEW]', '换名字']]);
  });

  it('offers a few, not all', () => {
    expect(complete('@', 1, [], Array.from({ length: 1000 }, (_, n) => `n${n}`))).toHaveLength(12);
  });
});

describe('A blank', () => {
  it.each(['', ' \n\t', '\u3000', '\u200b', '\u200b \u200d\ufeff', '\u2800', '\u3164', '\u202e', '\u0007', '\ufe0f', '\ue000'])('%j cannot be seen', (text) => {
    expect(isBlank(text)).toBe(true);
  });

  it.each(['a', '\u200b.', '阿', '👩‍👩‍👧', '❤️', '\u0378', '\u0301'])('%j can be seen', (text) => {
    expect(isBlank(text)).toBe(false);
  });
});

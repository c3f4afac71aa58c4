import { describe, expect, it } from 'vitest';
// The server's tests read the same file.
import blank from '../../tests/core/blank.json';
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
          return `l(${node.href}|${flat(node.children)}${node.host && `{${node.host}}`})`;
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

/** What can be read of a tree. */
function shown(nodes: readonly (Block | Inline)[]): string {
  return nodes.map((node) => ('text' in node ? node.text : 'children' in node ? shown(node.children) : '\n')).join('\n');
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
    ['__two words__', 'b(two words)'],
    ['__重点__', 'b(重点)'],
    ['**a *b* c**', 'b(a i(b) c)'],
    ['*a **b** c*', 'i(a b(b) c)'],
    ['**「重点」**是', 'b(「重点」)是'],
    ['这是**重点**。', '这是b(重点)。'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['* star', '* star'],
    ['**', '**'],
    ['****', '****'],
    ['**a', '**a'],
    ['*a', '*a'],
    ['a**', 'a**'],
    ['** a **', '** a **'],
    ['snake_case_name', 'snake_case_name'],
    // As on GitHub: names of files are written like this.
    ['见报告_终稿_v2.docx', '见报告_终稿_v2.docx'],
    ['他说_好_的', '他说_好_的'],
    ['他说：_好_。', '他说：i(好)。'],
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

describe('Marks', () => {
  it.each([
    // Both kinds at once, in any order.
    ['***both***', 'i(b(both))'],
    ['***a** b*', 'i(b(a) b)'],
    ['***a* b**', 'b(i(a) b)'],
    ['**a *b***', 'b(a i(b))'],
    ['*a **b***', 'i(a b(b))'],
    ['**a** and **b**', 'b(a) and b(b)'],
    ['**a****b**', 'b(a)b(b)'],
    ['**_a_**', 'b(i(a))'],
    ['_**a**_', 'i(b(a))'],
    ['**a *b** c*', 'b(a *b) c*'],
    ['**a*', '**a*'],
    ['*a**', '*a**'],
    ['***a', '***a'],
    ['***a b**', '*b(a b)'],
    ['*a*b', 'i(a)b'],
    ['**B**old', 'b(B)old'],
    ['Java**Script**', 'Javab(Script)'],
    ['**Note:** text', 'b(Note:) text'],
    ['**a `*` b**', 'b(a c(*) b)'],
    ['***`a`***', 'i(b(c(a)))'],
    ['**!!!**', 'b(!!!)'],
    ['*👍*', 'i(👍)'],
    // Beside Chinese, where words have no edges.
    ['他说**好**的', '他说b(好)的'],
    ['他说**「好」**的', '他说b(「好」)的'],
    ['他说**“好”**的', '他说b(“好”)的'],
    ['“**重点**”', '“b(重点)”'],
    ['**重点：**内容', 'b(重点：)内容'],
    ['**你好！**他说', 'b(你好！)他说'],
    ['请用**/help**看', '请用b(/help)看'],
    ['第**2**章', '第b(2)章'],
    ['***都要***的', 'i(b(都要))的'],
    ['*重点*。', 'i(重点)。'],
    ['（*重点*）', '（i(重点)）'],
    ['다음은**중요**합니다', '다음은b(중요)합니다'],
    ['報告_最終_版', '報告_最終_版'],
    // Sums, powers, stars for letters, footnotes.
    ['2*3*4', '2*3*4'],
    ['2*3*4 = 24, *all* told', '2*3*4 = 24, i(all) told'],
    ['长*宽*高', '长*宽*高'],
    ['a*b*c', 'a*b*c'],
    ['2*(3+4)*5', '2*(3+4)*5'],
    ['价格*(1+税率)*数量', '价格*(1+税率)*数量'],
    ['2**3**4', '2**3**4'],
    ['x**2 + y**2', 'x**2 + y**2'],
    ['a**b + c**d', 'a**b + c**d'],
    ['傻*，真是*蛋', '傻*，真是*蛋'],
    ['个**，去**吧', '个**，去**吧'],
    ['5* and 4* hotels', '5* and 4* hotels'],
    ['C*-algebra and W*-algebra', 'C*-algebra and W*-algebra'],
    // Code that nobody put between ticks.
    ['__init__', '__init__'],
    ['__init__.py, __main__', '__init__.py, __main__'],
    ['if __name__ == "__main__":', 'if __name__ == "__main__":'],
    ['__a__b__', '__a__b__'],
    ['f(*args, **kwargs): g(*args, **kwargs)', 'f(*args, **kwargs): g(*args, **kwargs)'],
    ['int *a, *b;', 'int *a, *b;'],
    ['/*comment*/ and /**doc**/', '/*comment*/ and /**doc**/'],
    ['src/*/test/*/x', 'src/*/test/*/x'],
    ['**/*.ts, **/*.js', '**/*.ts, **/*.js'],
    ['C:\\\\Users\\\\x', 'C:\\\\Users\\\\x'],
    ['\\\\server\\share', '\\\\server\\share'],
    ['\\\\*a*', '\\i(a)'],
    ['a\\>b', 'a\\>b'],
    ['\\> a', '> a'],
    // Faces.
    ['*^_^*', '*^_^*'],
    ['(*^_^*) hi (*^_^*)', '(*^_^*) hi (*^_^*)'],
    ['-_- well -_-', '-_- well -_-'],
    ['>_< a >_<', '>_< a >_<'],
    ['T_T o_o', 'T_T o_o'],
    ['_(:з」∠)_', '_(:з」∠)_'],
    ['¯\\_(ツ)_/¯', '¯\\_(ツ)_/¯'],
    ['*★,°*:.☆(￣▽￣)/$:*.°★* 。', '*★,°*:.☆(￣▽￣)/$:*.°★* 。'],
    ['>w<', '>w<'],
    ['> <', '> <'],
    // Marks that mark nothing.
    ['*', '*'],
    ['***', '***'],
    ['*****', '*****'],
    ['*****a*****', '*****a*****'],
    ['_', '_'],
    ['____', '____'],
    ['**\u200b**', '**\u200b**'],
    ['*_*', '*_*'],
    ['``', '``'],
    ['```', '```'],
    ['``````', '``````'],
    ['` `', '` `'],
    ['```\n```', '```/```'],
    ['```\n\n\n```', '```///```'],
    ['[]()', '[]()'],
    ['[]', '[]'],
    ['[a]()', '[a]()'],
    ['[](a)', '[](a)'],
    ['[a](b)', '[a](b)'],
    ['>', '>'],
    ['> ', '> '],
    ['>\n>\n>', '>/>/>'],
    ['> > >', '> > >'],
    ['>>>>>>>>', '>>>>>>>>'],
    ['> \u200b', '> \u200b'],
    ['a\n>\nb', 'a/>/b'],
    ['>\n> a', 'q(a)'],
    ['> a\n>\n> b', 'q(a//b)'],
    // Code as people write it.
    ['```\na\nb```', 'k(a\nb)'],
    ['```a b\nc\n```', 'k(a b\nc)'],
    ['````\n```\na\n```\n````', 'k(```\na\n```)'],
    ['```\nuse ```x```\nend\n```', 'k(use ```x```\nend)'],
    ['```\n> a\n```', 'k(> a)'],
    ['> ```\n> a\n> ```', 'q(k(a))'],
    ['```\na\n```\n```\nb\n```', 'k(a) ¶ k(b)'],
    ['`a` `` b` `` c`', 'c(a) c(b`) c`'],
    ['`` ` ``', 'c(`)'],
    // Walls.
    ['a' + '\n'.repeat(1998) + 'b', 'a///b'],
    ['a\n \n\u200b\n\u3000\n\nb', 'a/ /\u200b/b'],
    ['\u200b\n\u200b\na', 'a'],
    ['a\u2028\u2029\nb', 'a///b'],
  ])('%j', (text, expected) => {
    expect(tree(parse(text))).toBe(expected);
  });

  it('no character of the text is lost but marks', () => {
    const text = 'zero\u200Bwidth \u202Eright \uD83D\uDE00 \uD800 lone';
    expect(tree(parse(text))).toBe(text);
  });

  it('no text that can be seen comes out empty', () => {
    const pieces = ['*', '**', '_', '__', '`', '```', '[', ']', '(', ')', '](', '>', '> ', '\\', '\n', ' ', '\u200b', 'a', '好', 'https://a.example', 'www.', '@'];
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const wrong = [];
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: 1 + random(9) }, () => pieces[random(pieces.length)]).join('');
      if (isBlank(shown(parse(text))) !== isBlank(text)) wrong.push(text);
    }
    expect(wrong).toEqual([]);
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
    // Names of hosts in other letters.
    ['https://例子.测试', 'l(https://xn--fsqu00a.xn--0zwm56d/|https://例子.测试)'],
    ['看https://例子.测试/路。', '看l(https://xn--fsqu00a.xn--0zwm56d/|https://例子.测试/)路。'],
    ['https://例子.中国这里', 'l(https://xn--fsqu00a.xn--fiqs8s/|https://例子.中国)这里'],
    ['https://qq邮箱.com/a', 'l(https://xn--qq-ii1f545e.com/a|https://qq邮箱.com/a)'],
    ['https://münchen.de/', 'l(https://xn--mnchen-3ya.de/|https://münchen.de/{xn--mnchen-3ya.de})'],
    ['https://bаnk.example/', 'l(https://xn--bnk-6cd.example/|https://bаnk.example/{xn--bnk-6cd.example})'],
    ['https://这里', 'https://这里'],
    ['http://localhost这里', 'l(http://localhost/|http://localhost)这里'],
    ['https://example.com这里.然后', 'l(https://example.com/|https://example.com)这里.然后'],
    ['https://bank.example。evil.example', 'l(https://bank.example/|https://bank.example)。evil.example'],
    // With `www.`, and without a scheme.
    ['https://www.example.com/a', 'l(https://www.example.com/a|https://www.example.com/a)'],
    ['_https://example.com_', 'i(l(https://example.com/|https://example.com))'],
    ['https://my_host.example/', 'l(https://my_host.example/|https://my_host.example/)'],
    ['www.example.com', 'l(https://www.example.com/|www.example.com)'],
    ['Www.Example.com/A', 'l(https://www.example.com/A|Www.Example.com/A)'],
    ['看www.example.com，好', '看l(https://www.example.com/|www.example.com)，好'],
    ['www.例子.测试', 'l(https://www.xn--fsqu00a.xn--0zwm56d/|www.例子.测试)'],
    ['see www.example.com/a_(b).', 'see l(https://www.example.com/a_(b)|www.example.com/a_(b)).'],
    ['[label](www.example.com)', 'l(https://www.example.com/|label)'],
    ['www.', 'www.'],
    ['www.example', 'www.example'],
    ['www...com', 'www...com'],
    ['xwww.example.com', 'xwww.example.com'],
    ['ftp://www.example.com', 'ftp://www.example.com'],
    ['mail@www.example.com', 'mail@www.example.com'],
    ['HTTPS://EXAMPLE.COM/A', 'l(https://example.com/A|HTTPS://EXAMPLE.COM/A)'],
    ['https://https://example.com', 'https://l(https://example.com/|https://example.com)'],
    ['http://[::1]:5000/a', 'l(http://[::1]:5000/a|http://[::1]:5000/a)'],
    ['http://0x7f.1/', 'l(http://127.0.0.1/|http://0x7f.1/{127.0.0.1})'],
    // Where the address ends, and the sentence does.
    ['https://example.com:8080/a:b', 'l(https://example.com:8080/a:b|https://example.com:8080/a:b)'],
    ['https://example.com:', 'l(https://example.com/|https://example.com):'],
    ['https://example.com?!', 'l(https://example.com/|https://example.com)?!'],
    ['https://example.com/a?b=c!', 'l(https://example.com/a?b=c|https://example.com/a?b=c)!'],
    ['https://example.com/a...', 'l(https://example.com/a|https://example.com/a)...'],
    ['https://example.com/a……', 'l(https://example.com/a|https://example.com/a)……'],
    ['https://example.com/a、https://example.com/b', 'l(https://example.com/a|https://example.com/a)、l(https://example.com/b|https://example.com/b)'],
    ["'https://example.com/it's'", "'l(https://example.com/it's|https://example.com/it's)'"],
    ['“https://example.com”', '“l(https://example.com/|https://example.com)”'],
    ['（https://example.com/a）', '（l(https://example.com/a|https://example.com/a)）'],
    ['《https://example.com/a》', '《l(https://example.com/a|https://example.com/a)》'],
    ['(see https://example.com/a).', '(see l(https://example.com/a|https://example.com/a)).'],
    ['(https://example.com/a),b', '(l(https://example.com/a|https://example.com/a)),b'],
    ['(https://example.com/a_(b))', '(l(https://example.com/a_(b)|https://example.com/a_(b)))'],
    ['https://example.com/a_(b)_c', 'l(https://example.com/a_(b)_c|https://example.com/a_(b)_c)'],
    ['https://example.com(官网)', 'l(https://example.com/|https://example.com)(官网)'],
    ['https://example.com/a(官网)', 'l(https://example.com/a|https://example.com/a)(官网)'],
    ['[https://example.com/a]', '[l(https://example.com/a|https://example.com/a)]'],
    ['https://example.com/?a[]=1', 'l(https://example.com/?a[]=1|https://example.com/?a[]=1)'],
    ['https://example.com/a**b', 'l(https://example.com/a|https://example.com/a)**b'],
    ['**看https://example.com/a**是', 'b(看l(https://example.com/a|https://example.com/a))是'],
    ['*https://example.com/a*', 'i(l(https://example.com/a|https://example.com/a))'],
    ['_https://example.com/a_b_', 'i(l(https://example.com/a_b|https://example.com/a_b))'],
    // Chinese in an address, and Chinese after it.
    ['http://chat.example/r/茶馆', 'l(http://chat.example/r/%E8%8C%B6%E9%A6%86|http://chat.example/r/茶馆)'],
    ['来http://127.0.0.1:5000/r/茶馆，快', '来l(http://127.0.0.1:5000/r/%E8%8C%B6%E9%A6%86|http://127.0.0.1:5000/r/茶馆)，快'],
    ['http://chat.example/r/茶馆2#a', 'l(http://chat.example/r/%E8%8C%B6%E9%A6%862#a|http://chat.example/r/茶馆2#a)'],
    ['http://chat.example/r/🍵', 'l(http://chat.example/r/%F0%9F%8D%B5|http://chat.example/r/🍵)'],
    ['https://example.com/?q=茶&b=1', 'l(https://example.com/?q=%E8%8C%B6&b=1|https://example.com/?q=茶&b=1)'],
    ['https://example.com/wiki/Café', 'l(https://example.com/wiki/Caf%C3%A9|https://example.com/wiki/Café)'],
    ['https://example.com/a这里', 'l(https://example.com/a|https://example.com/a)这里'],
    ['https://example.com/这个不错', 'l(https://example.com/|https://example.com/)这个不错'],
    ['https://example.com/a👍', 'l(https://example.com/a|https://example.com/a)👍'],
    ['https://example.com/@user/1', 'l(https://example.com/@user/1|https://example.com/@user/1)'],
    // Nobody is led elsewhere than is said.
    ['https://bank.example@evil.example/', 'https://bank.example@evil.example/'],
    ['https://bank.example:443@evil.example/', 'https://bank.example:443@evil.example/'],
    ['https://user:pass@evil.example/a', 'https://user:pass@evil.example/a'],
    ['www.bank.example@evil.example', 'www.bank.example@evil.example'],
    ['[bank](https://bank.example@evil.example/)', '[bank](https://bank.example@evil.example/)'],
    ['https://bank.example\\@evil.example', 'l(https://bank.example/|https://bank.example)\\@evil.example'],
    ['[https://bank.example](https://evil.example)', 'l(https://evil.example/|https://bank.example{evil.example})'],
    ['[bank.example](https://evil.example:8443/)', 'l(https://evil.example:8443/|bank.example{evil.example:8443})'],
    ['[bank.example/login](https://evil.example)', 'l(https://evil.example/|bank.example/login{evil.example})'],
    ['[go to bank.example now](https://evil.example)', 'l(https://evil.example/|go to bank.example now{evil.example})'],
    ['[me@bank.example](https://evil.example)', 'l(https://evil.example/|me@bank.example{evil.example})'],
    ['[bank．example](https://evil.example)', 'l(https://evil.example/|bank．example{evil.example})'],
    ['[bank․example](https://evil.example)', 'l(https://evil.example/|bank․example{evil.example})'],
    ['[bank。example](https://evil.example)', 'l(https://evil.example/|bank。example{evil.example})'],
    ['[https:∕∕bank](https://evil.example)', 'l(https://evil.example/|https:∕∕bank{evil.example})'],
    ['[bank\u200b.example](https://evil.example)', 'l(https://evil.example/|bank\u200b.example{evil.example})'],
    ['[https://evil.example@bank.example](https://bank.example)', 'l(https://bank.example/|https://evil.example@bank.example{bank.example})'],
    ['[example.com/docs](https://www.example.com/docs/intro)', 'l(https://www.example.com/docs/intro|example.com/docs)'],
    ['[Read this.](https://example.com)', 'l(https://example.com/|Read this.)'],
    ['[看这里：第一章](https://example.com)', 'l(https://example.com/|看这里：第一章)'],
    ['[📄文档](https://example.com)', 'l(https://example.com/|📄文档)'],
    ['[**b** `c`](https://example.com)', 'l(https://example.com/|b(b) c(c))'],
    ['[标签](https://例子.测试/路径)', 'l(https://xn--fsqu00a.xn--0zwm56d/%E8%B7%AF%E5%BE%84|标签)'],
    ['[ ](https://example.com)', '[ ](l(https://example.com/|https://example.com))'],
    ['[a](https://exa mple.com)', '[a](l(https://exa/|https://exa) mple.com)'],
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
    ['@👨\u200d👩\u200d👧 hi', '👨\u200d👩\u200d👧', true],
    ['@👨\u200d👩\u200d👧 hi', '👨', false],
    ['@👨你好', '👨', true],
    ['@👍🏽', '👍', false],
    ['@❤\ufe0f', '❤', true],
    ['@❤\ufe0f\u200d🔥', '❤', false],
    ['@1\ufe0f\u20e3', '1', false],
    ['@می\u200cخواهم', 'می', false],
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
  const offered = (text: string) => complete(text, text.length, commands, () => names).map((one) => one.insert);

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
    ['/to fo', ['fox ', 'Fowl ']],
    ['、W  FO', ['fox ', 'Fowl ']],
    ['/msg "two w', ['"two words" ']],
    ['/tell fo', ['fox ', 'Fowl ']],
    ['/to fox hi', []],
    ['to:fo', ['fox', 'Fowl']],
    [' To：two ', ['two words']],
    ['onto:fo', []],
    ['ｔｏ：fo', ['fox', 'Fowl']],
    ['t\u200bo ∶ fo', ['fox', 'Fowl']],
    ['／ｔｏ fo', ['fox ', 'Fowl ']],
    ['⧸Ｎ', ['/name ', '/nick ']],
    ['/say to:fo', []],
  ])('%j offers %j', (text, expected) => {
    expect(offered(text)).toEqual(expected);
  });

  it.each(['@👨', '@👨\u200d👩', '@👨\u200d👩\u200d👧'])('%j offers the family', (text) => {
    expect(complete(text, text.length, [], () => ['👨\u200d👩\u200d👧', 'fox']).map((one) => one.insert)).toEqual(['@👨\u200d👩\u200d👧 ']);
  });

  it('asks for no joiners', () => {
    expect(complete('@میخ', 4, [], () => ['می\u200cخواهم']).map((one) => one.insert)).toEqual(['@می\u200cخواهم ']);
  });

  it('finds names of many code points', () => {
    const name = '👨\u200d👩\u200d👧'.repeat(18);
    expect(complete(`@${name}`, name.length + 1, [], () => [name])).toHaveLength(1);
  });

  it.each(['to:fox', 'ｔｏ： “fo', '\u200bto\ufe55 fo', '／ｔｏ fo', '\u200b/fo'])('takes the place of what was typed after the marker of %j', (text) => {
    const [first] = complete(text, text.length, [{ usage: '/fox', help: {} }], () => ['fox']);
    expect(text.slice(first!.start)).toMatch(/^[“/]?fox?$/);
  });

  it('looks only at what is before the caret', () => {
    expect(complete('@fo later', 3, [], () => names).map((one) => [one.insert, one.start])).toEqual([
      ['@fox ', 0],
      ['@Fowl ', 0],
    ]);
  });

  it('explains in one’s own language', () => {
    expect(complete('/na', 3, commands, () => [], 'zh').map((one) => [one.label, one.hint])).toEqual([['/name [NEW]', '换名字']]);
  });

  it.each([
    ['/help', '/help'],
    ['、HELP', '/help'],
    ['to:FOX', 'to:fox'],
    ['to:', 'to:fox'],
    ['/to ', '/to fox '],
    ['@Fox', '@fox '],
  ])('%j is sent by Enter, and completed by Tab', (text, tabbed) => {
    const [first] = complete(text, text.length, [{ usage: '/help', help: {} }], () => ['fox', 'foxtrot']);
    expect([first!.isWhole, text.slice(0, first!.start) + first!.insert.replace(/^\/help $/, '/help')]).toEqual([true, tabbed]);
  });

  it.each(['/hel', 'to:fo', '/to f', '@fo', '@'])('%j is completed by Enter', (text) => {
    expect(complete(text, text.length, [{ usage: '/help', help: {} }], () => ['fox'])[0]!.isWhole).toBe(false);
  });

  it('offers a few, not all', () => {
    expect(complete('@', 1, [], () => Array.from({ length: 1000 }, (_, n) => `n${n}`))).toHaveLength(12);
  });
});

describe('A blank', () => {
  it.each(blank.blank)('%j cannot be seen', (text) => {
    expect(isBlank(text)).toBe(true);
  });

  it.each(blank.seen)('%j can be seen', (text) => {
    expect(isBlank(text)).toBe(false);
  });
});

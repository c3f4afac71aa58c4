import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { announcement } from '../src/lib/announce';
import { randomId } from '../src/lib/ids';
import { COLOURS, colourOf } from '../src/lib/names';
import { pathOf, roomIn } from '../src/lib/places';
import { en } from '../src/words/en';
import { rest as enRest } from '../src/words/en.rest';
import { sentence, unsent } from '../src/words/refusal';
import { zh } from '../src/words/zh';
import { rest as zhRest } from '../src/words/zh.rest';
import { Play, entry } from './help';

/** What each kind of sentence is called with; whatever is named in neither takes a number. */
const OF_NAMES = new Set(['cameIn', 'came', 'went', 'typing']);
const OF_TEXTS = new Set([
  'youAre', 'whisperTo', 'writeTo', 'yourName', 'onlySees', 'partnerGone', 'namesake', 'nowCalled', 'youNowCalled', 'leftYou', 'whisperFrom',
  'whisperBy', 'whisperCopied', 'announced', 'name_taken', 'usage', 'text_after_to', 'already_private', 'no_such_person', 'no_such_person_near', 'name_unclear',
]);

/** Every sentence of a language, those with a blank filled in several ways. */
function sentences(words: object): string[] {
  return Object.entries(words).flatMap(([key, value]: [string, unknown]): string[] => {
    if (typeof value === 'string') return [value];
    if (typeof value !== 'function') return sentences(value as object);
    const call = value as (...given: unknown[]) => string;
    if (OF_NAMES.has(key)) return [['fox'], ['fox', 'owl'], ['fox', 'owl', 'cat'], ['fox', 'owl', 'cat', 'dog']].map((names) => call(names));
    if (OF_TEXTS.has(key)) return [call('fox', 'owl')].flat();
    return [0, 1, 2, 5].map((count) => call(count));
  });
}

describe.each([
  ['en', { ...en, ...enRest }],
  ['zh', { ...zh, ...zhRest }],
])('The words of %s', (_, words) => {
  it('have no exclamation mark and never say "error"', () => {
    for (const text of sentences(words)) expect(text).not.toMatch(/[!！]|error|错误/i);
  });

  it('are all there', () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys({ ...en, ...enRest }).sort());
    for (const text of sentences(words)) expect(text).not.toMatch(/undefined|NaN|\[object/);
  });

  it('name whom a refusal is about', () => {
    for (const code of ['name_taken', 'confirm']) expect(sentence(words, { ok: false, code, msg: '', name: 'fox' })).toContain('fox');
    expect(sentence(words, { ok: false, code: 'confirm', msg: '', name: undefined })).toBe(words.refusals.confirm(''));
    expect([words.refusals.confirm('fox'), words.refusals.confirm('')].map((shown) => shown.includes('/to NAME TEXT'))).toEqual([false, true]);
  });

  it.each(['name_taken', 'too_long', 'unknown_command', 'text_only', 'recipient_left', 'recipient_other', 'written_before', 'confirm'])('have a sentence for %s', (code) => {
    expect(sentence(words, { ok: false, code, msg: '' }, 'fox')).not.toBe(words.refusals.other);
  });

  it.each(['bad_request', 'empty', 'too_long', 'unavailable'])('say why a message was not sent: %s', (code) => {
    const why = unsent(words, { ok: false, code, msg: '' });
    expect(why.startsWith(words.notSent.slice(0, -1))).toBe(true);
    expect(why).not.toBe(words.notSent);
  });

  it.each([null, 'never_heard_of', 'toString'])('say no more than is known: %s', (code) => {
    expect(unsent(words, code === null ? null : { ok: false, code, msg: '' })).toBe(words.notSent);
  });

  it('say that the server has restarted where that is why', () => {
    const said = unsent(words, { ok: false, code: 'recipient_other', msg: '', restarted: true });
    expect(said).toMatch(/restarted|重启/);
    expect(said).not.toBe(unsent(words, { ok: false, code: 'recipient_other', msg: '' }));
  });

  it('show how a command is used', () => {
    expect(sentence(words, { ok: false, code: 'bad_request', msg: '', usage: '/to NAME TEXT' })).toContain('/to NAME TEXT');
  });

  it.each(['never_heard_of', 'toString', '__proto__', 'constructor'])('have a sentence for any code: %s', (code) => {
    expect(sentence(words, { ok: false, code, msg: '' })).toBe(words.refusals.other);
  });
});

/** The wording that was agreed on, as a page shows it. */
it.each([
  [`${en.keptDays(7)} ${en.noAccounts}`, 'Messages are kept 7 days. No accounts, no IP addresses stored.'],
  [[enRest.theme, enRest.themes.auto, enRest.notify], ['Theme', 'System', 'Notify me of mentions and whispers']],
  [[enRest.yourNameIs, enRest.randomName, enRest.ownName, enRest.takeName], ['Your name', 'Random name', 'Or type your own', 'Use this name']],
  [[enRest.tooLongBy(340), en.waitWhy(4), enRest.usage('')], ['340 characters over the limit', 'One moment, sending again in 4 s', 'Usage: ']],
  [[enRest.refusals.room_invalid, enRest.shut.room_invalid], ["That room name can't be used: it needs 1 to 64 visible characters and no slash.", "That room name can't be used: it needs 1 to 64 visible characters and no slash."]],
  [enRest.refusals.unknown_command, 'No such command. To whisper, type /to NAME TEXT. To send it as a message, begin it with /say.'],
  [[enRest.shut.replaced, enRest.shutDo.replaced], ['This chat is open in another tab.', 'Continue here']],
  [enRest.refusals.name_reserved, 'That name is reserved.'],
  [[enRest.shut.refused, enRest.unsent.bad_request], ["Couldn't get in.", "Not sent. It contains hidden characters that can't be sent."]],
  [[zh.here(13), zh.people, zh.qr], ['13 人在线', '在线的人', '扫码进入房间']],
  [zh.keptDays(7) + zh.noAccounts, '消息保留 7 天。不用注册，不记录 IP。'],
  [[zhRest.refusals.room_invalid, zhRest.shut.room_invalid], ['这个房间名不能用：需要 1 到 64 个可见字符，不能含斜杠。', '这个房间名不能用：需要 1 到 64 个可见字符，不能含斜杠。']],
  [[zh.back(5), zhRest.tooLongBy(340)], ['已重新连上，补收 5 条消息。', '超出上限 340 个字']],
  [[zhRest.randomName, zhRest.newRoomWhy], ['随机换一个', '链接随机生成，别人猜不到。']],
  [[zhRest.shut.replaced, zhRest.shutDo.replaced], ['你已在另一个标签页打开。', '在此继续']],
  [[zhRest.shut.refused, zhRest.refusals.other], ['没能进入房间。', '操作没有成功。']],
  [zhRest.shut.origin, '不能从这个网址进入。'],
  [[enRest.refusedFor(99), enRest.refusedFor(121)], ["Can't connect right now. Trying again in 99 s.", "Can't connect right now. Trying again in 3 min."]],
])('The page says %j', (shown, agreed) => {
  expect(shown).toEqual(agreed);
});

describe('Chinese', () => {
  it.each([
    [['fox'], 'fox 进入了房间'],
    [['阿狸'], '阿狸进入了房间'],
    [['Лиса'], 'Лиса 进入了房间'],
    [['Bob!'], 'Bob! 进入了房间'],
    [['カレー'], 'カレー进入了房间'],
    [['阿狸', 'fox'], '阿狸和 fox 进入了房间'],
    [['fox', '阿狸'], 'fox 和阿狸进入了房间'],
    [['阿狸', 'fox', '小满'], '阿狸、fox 和小满进入了房间'],
    [['阿狸', 'fox', 'a', 'b'], '阿狸、fox 等 4 人进入了房间'],
  ])('%j', (names, expected) => {
    expect(zh.came(names)).toBe(expected);
  });

  it('leaves a space beside narrow characters only', () => {
    expect([zhRest.onlySees('fox'), zhRest.onlySees('阿狸'), zh.youAre('fox'), zh.youAre('阿狸')]).toEqual([
      '只有 fox 看得到',
      '只有阿狸看得到',
      ['你叫 ', '。'],
      ['你叫', '。'],
    ]);
  });
});

describe('English', () => {
  it.each([
    [['fox'], 'fox joined'],
    [['阿狸', 'fox'], '阿狸 and fox joined'],
    [['a', 'b', 'c'], 'a, b and c joined'],
    [['阿狸', 'fox', 'a', 'b', 'c'], '阿狸, fox and 3 others joined'],
  ])('%j', (names, expected) => {
    expect(en.came(names)).toBe(expected);
  });

  it('counts the missed messages', () => {
    expect([en.back(0), en.back(1), en.back(12)]).toEqual(['Reconnected.', 'Reconnected. 1 missed message received.', 'Reconnected. 12 missed messages received.']);
  });

  it('suggests a name that is like the taken one', () => {
    expect(sentence({ ...en, ...enRest }, { ok: false, code: 'name_taken', msg: '' }, '阿狸')).toBe('That name is taken. Try 阿狸2?');
  });
});

describe('One thing has one name', () => {
  it.each(['悄悄', '地址', '账号', '在场'])('in Chinese, and it is not %s', (other) => {
    expect(sentences({ ...zh, ...zhRest }).filter((sentence) => sentence.includes(other))).toEqual([]);
  });

  it.each(['came in', 'everybody', 'somebody', 'nobody', ' said', 'address that', 'the house', 'writing'])('in English, and it is not "%s"', (other) => {
    expect(sentences({ ...en, ...enRest }).filter((sentence) => sentence.toLowerCase().includes(other))).toEqual([]);
  });
});

describe('The colours of names', () => {
  const css = readFileSync(new URL('../src/look.css', import.meta.url), 'utf8');
  const themes = css.split(/(?=:root)/).filter((part) => part.includes('--name-0'));
  const read = (theme: string, name: string): string => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(theme)![1]!;

  function luminance(hex: string): number {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  }
  function contrast(one: string, other: string): number {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light! + 0.05) / (dark! + 0.05);
  }

  it('two themes are written: light and dark', () => {
    expect(themes).toHaveLength(2);
  });

  it.each(themes.map((theme, index) => [index, theme] as const))('theme %i: every name and text can be read', (_, theme) => {
    const grounds = ['paper', 'raised', 'own', 'hover'].map((name) => read(theme, name));
    for (const ground of grounds) {
      for (let index = 0; index < COLOURS; index++) expect(contrast(read(theme, `name-${index}`), ground)).toBeGreaterThanOrEqual(4.5);
      for (const text of ['ink', 'faint', 'accent', 'warn']) expect([text, contrast(read(theme, text), ground) >= 4.5]).toEqual([text, true]);
      expect(contrast(read(theme, 'edge'), ground)).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(read(theme, 'on-accent'), read(theme, 'accent'))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(read(theme, 'ink'), read(theme, 'warm'))).toBeGreaterThanOrEqual(4.5);
  });

  it('are stable, and the same for what counts as the same name', () => {
    expect([colourOf('Fox'), colourOf('fox'), colourOf('ｆｏｘ')]).toEqual([colourOf('fox'), colourOf('fox'), colourOf('fox')]);
  });

  it('are all used', () => {
    const used = new Set(Array.from({ length: 1000 }, (_, n) => colourOf(`name${n}`)));
    expect(used.size).toBe(COLOURS);
  });
});

describe('Addresses', () => {
  it.each([
    ['/', '/', 'lobby'],
    ['/r/den', '/', 'den'],
    ['/r/den/', '/', 'den'],
    ['/r/%E7%8B%90', '/', '狐'],
    ['/r/%ZZ', '/', '%ZZ'],
    ['/r/', '/', 'lobby'],
    ['/r/a/b', '/', 'lobby'],
    ['/chat/', '/chat/', 'lobby'],
    ['/chat/r/den', '/chat/', 'den'],
    ['/r/den', '/chat/', 'lobby'],
  ])('%s below %s is %s', (path, root, room) => {
    expect(roomIn(path, root)).toBe(room);
  });

  it.each(['den', '狐 狸', 'a?b#c', '%', 'lobby'])('%s leads back to itself', (room) => {
    expect(roomIn(pathOf(room, '/chat/'), '/chat/')).toBe(room);
  });

  it('of new rooms cannot be guessed', () => {
    expect(randomId(16)).toMatch(/^[a-z2-9]{16}$/);
    expect(new Set(Array.from({ length: 1000 }, () => randomId(16))).size).toBe(1000);
  });
});

describe('What a screen reader reads out', () => {
  const talk = (count: number) => {
    const play = new Play().enter();
    for (let n = 1; n <= count; n++) play.hear(entry(n));
    return play.state.items;
  };

  it('a few are read', () => {
    expect(announcement(enRest, talk(2))).toBe('fox: m1\nfox: m2');
  });

  it('a burst is counted', () => {
    expect(announcement(enRest, talk(4))).toBe('4 new messages');
  });

  it('one’s own words are not', () => {
    expect(announcement(enRest, new Play().enter().write('a').state.items)).toBe('');
  });

  it('joins and leaves are not', () => {
    expect(announcement(enRest, new Play().enter().roster([['fox', 'f']], []).state.items)).toBe('');
  });
});

/** Every sentence of the page, in Chinese. */

import type { Words } from './en';

/** 「阿狸」「阿狸和 fox」「阿狸、fox 等 5 人」 */
function named(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length === 2) return `${names[0]}${behind(names[0]!)}和${amid(names[1]!).trimEnd()}`;
  if (names.length === 3) return `${names[0]}、${names[1]}${behind(names[1]!)}和${amid(names[2]!).trimEnd()}`;
  return `${names[0]}、${names[1]}${behind(names[1]!)}等 ${names.length} 人`;
}

const LATIN = /[\p{Script=Latin}\p{N}]/u;

/** 名字放在汉字中间：只在拉丁字母旁边留空。 */
function amid(name: string): string {
  const before = LATIN.test(name[0] ?? '') ? ' ' : '';
  return before + name + behind(name);
}

/** 名字后面接汉字。 */
function behind(name: string): string {
  return LATIN.test(name[name.length - 1] ?? '') ? ' ' : '';
}

/** 「阿狸来了」「fox 来了」「阿狸、fox 等 5 人来了」：只在拉丁字母之后留空。 */
function does(names: readonly string[], verb: string): string {
  const who = named(names);
  return who + behind(who) + verb;
}

export const zh: Words = {
  language: '中文',
  lobby: '大厅',
  here: (count) => `${count} 人在`,
  people: '在这里的人',
  find: '找人',
  nobodyFound: '没有叫这个名字的人。',
  moreHere: (count) => `还有 ${count} 人，输入名字来找`,
  you: '你',
  whisperTo: (name) => `悄悄对${amid(name)}说`,
  invite: '邀请',
  inviteWhy: '有这个地址的人都可以进来。',
  copyLink: '复制链接',
  copied: '已复制',
  qr: '扫码打开这个地址',
  more: '更多',
  close: '关闭',
  newRoom: '新房间',
  newRoomWhy: '地址谁也猜不到。',
  toLobby: '回大厅',
  language_: '语言',
  theme: '外观',
  themes: { auto: '跟随系统', light: '浅色', dark: '深色' },
  notify: '有人叫我时提醒我',
  notifyOff: '不再提醒',
  notifyBlocked: '浏览器关闭了本页的通知。',

  youAre: (name) => [LATIN.test(name[0] ?? '') ? '你是 ' : '你是', '。'],
  aloneHere: '这里还没有别人。',
  cameIn: (names) => does(names, '来了。'),
  othersHere: (count) => `这里还有 ${count} 个人。`,
  keptDays: (days) => `保留 ${days} 天。`,
  keptNowhere: '什么都不保存。',
  noAccounts: '没有账号，不记地址。',

  connecting: '正在连接…',
  reconnecting: '正在重新连接…你写的都会留着',
  back: (count) => (count === 0 ? '回来了。' : `回来了，补上了 ${count} 条消息。`),

  messages: '消息',
  write: '说点什么',
  writeTo: (name) => `悄悄对${amid(name)}说`,
  send: '发送',
  emoji: '表情',
  yourName: (name) => `你的名字：${name}。换一个`,
  onlySees: (name) => `只有${amid(name)}看得到`,
  endWhisper: '回到大家',
  partnerGone: (name) => `${name}${behind(name)}已经离开`,
  waitSeconds: (seconds) => `${seconds} 秒`,
  waitWhy: (seconds) => `稍等 ${seconds} 秒`,
  left: (count) => `${count}`,
  tooLongBy: (count) => `多了 ${count} 个字`,
  suggestions: '建议',
  usage: (usage) => `用法：${usage}`,

  newName: '换一个名字',
  ownName: '或者自己起一个',
  take: '就叫这个',
  nameRules: '你在这个房间里的名字。',

  notSent: '没有发出去。',
  unsent: {
    bad_request: '没有发出去：控制字符和改变文字方向的字符不能发。',
    empty: '没有发出去：里面没有看得见的字。',
    too_long: '没有发出去：太长了。',
  },
  tryAgain: '再试一次',
  remove: '删除',
  sending: '正在发送',
  newLine: '新消息',
  newBelow: (count) => `${count} 条新消息`,
  toBottom: '回到最新',
  loadingOlder: '正在往前找…',
  gap: '更早的一些消息已不再保留。',
  nowCalled: (from, to) => `${from}${behind(from)}改名叫${amid(to).trimEnd()}。`,
  youNowCalled: (to) => `你现在叫${amid(to).trimEnd()}。`,
  leftYou: (name) => `${name}${behind(name)}离开了。结束悄悄话之前，你写的谁也收不到。`,
  came: (names) => does(names, '来了'),
  went: (names) => does(names, '走了'),
  whisperFrom: (name) => `${name}${behind(name)}只对你说`,
  whisperBy: (name) => `只对${amid(name)}说`,
  whisperToYou: '只对你说',
  typing: (names) => (names.length > 3 ? '好几个人正在输入…' : does(names, '正在输入…')),

  heard: (name, text) => `${name}：${text}`,
  heardMany: (count) => `${count} 条新消息`,

  shut: {
    room_full: '这个房间现在满了。',
    room_locked: '这个房间锁上了。',
    banned: '你不能进这个房间。',
    room_invalid: '没有叫这个名字的房间。',
    origin: '这个聊天室不接待从这个地址来的人。',
    replaced: '你在另一个标签页里。',
    kicked: '你被请出去了。',
    left: '你离开了。',
    refused: '门没有开。',
  },
  shutDo: {
    room_full: '再试一次',
    room_locked: '再试一次',
    banned: '回大厅',
    room_invalid: '回大厅',
    origin: '再试一次',
    replaced: '在这里用',
    kicked: '再进来',
    left: '再进来',
    refused: '再试一次',
  },

  refusals: {
    name_taken: (name) => `这个名字有人用了，试试${amid(name + '2').trimEnd()}？`,
    name_invalid: '名字要有 1 到 32 个看得见的字。',
    name_reserved: '这个名字留给聊天室自己用。',
    no_such_person: '这里没有叫这个名字的人。',
    empty: '还什么都没有写。',
    too_long: '太长了。',
    unknown_command: '没有这个命令，输入 / 看看有哪些。',
    room_invalid: '没有叫这个名字的房间。',
    room_full: '那个房间现在满了。',
    room_locked: '那个房间锁上了。',
    rate_limited: '请稍等。',
    slow_mode: '这个房间说得慢，请稍等。',
    muted: '你现在不能在这里说话。',
    banned: '你不能进那个房间。',
    not_allowed: '这件事你不能做。',
    offline: '现在没有连上，稍后再试。',
    unavailable: '没有送到，稍后再试。',
    other: '没有做成。',
  },

  yesterday: '昨天',
  today: '今天',
};

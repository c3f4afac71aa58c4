/** The sentences that a first load needs, in Chinese. */

import type { Words } from './en';

/** 「阿狸」「阿狸和 fox」「阿狸、fox 等 5 人」 */
function named(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length === 2) return `${names[0]}${after(names[0]!)}和${amid(names[1]!).trimEnd()}`;
  if (names.length === 3) return `${names[0]}、${names[1]}${after(names[1]!)}和${amid(names[2]!).trimEnd()}`;
  return `${names[0]}、${names[1]}${after(names[1]!)}等 ${names.length} 人`;
}

/** 和汉字之间要留空的字符：西文的字母、数字和标点。 */
const NARROW = /(?![\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}])[!-~\p{L}\p{N}]/u;

/** 名字放在汉字中间：只在西文旁边留空。 */
export function amid(name: string): string {
  const before = NARROW.test(name[0] ?? '') ? ' ' : '';
  return before + name + after(name);
}

/** 名字后面接汉字。 */
export function after(name: string): string {
  return NARROW.test(name[name.length - 1] ?? '') ? ' ' : '';
}

/** 「阿狸离开了房间」「fox 离开了房间」「阿狸、fox 等 5 人离开了房间」：只在西文之后留空。 */
function does(names: readonly string[], verb: string): string {
  const who = named(names);
  return who + after(who) + verb;
}

export const zh: Words = {
  lobby: '大厅',
  here: (count) => `${count} 人在线`,
  people: '在线的人',
  invite: '邀请',
  copyLink: '复制链接',
  copied: '已复制',
  qr: '扫码进入房间',
  more: '更多',

  youAre: (name) => [NARROW.test(name[0] ?? '') ? '你叫 ' : '你叫', '。'],
  aloneHere: '房间里还没有别人。',
  cameIn: (names) => does(names, '进入了房间。'),
  othersHere: (count) => `房间里还有 ${count} 个人。`,
  keptDays: (days) => `消息保留 ${days} 天。`,
  keptNowhere: '消息只保存在内存里。',
  noAccounts: '不用注册，不记录 IP。',

  connecting: '正在连接…',
  reconnecting: '正在重新连接…连上后会自动发送你的消息。',
  back: (count) => (count === 0 ? '已重新连上。' : `已重新连上，补收 ${count} 条消息。`),

  messages: '消息',
  write: '说点什么',
  whisper: '私聊',
  writeTo: (name) => `私聊${amid(name).trimEnd()}`,
  send: '发送',
  emoji: '表情',
  yourName: (name) => `你的名字：${name}，点击更换`,
  namesake: (name) => `现在房间里有人叫${amid(name).trimEnd()}。`,
  waitSeconds: (seconds) => `${seconds} 秒`,
  waitWhy: (seconds) => `请稍等，${seconds} 秒后重发`,

  notSent: '没有发送。',
  tryAgain: '重试',
  remove: '删除',
  newLine: '新消息',
  newBelow: (count) => `${count} 条新消息`,
  toBottom: '跳到最新消息',
  showAll: '显示全部',
  showLess: '收起',
  loadingOlder: '正在加载更早的消息…',
  gap: '你错过的部分消息已不再保留。',
  nowCalled: (from, to) => `${from}${after(from)}改名为${amid(to).trimEnd()}。`,
  youNowCalled: (to) => `你现在叫${amid(to).trimEnd()}。`,
  leftYou: (name) => `${name}${after(name)}离开了。要对大家说话，请先结束私聊。`,
  came: (names) => does(names, '进入了房间'),
  went: (names) => does(names, '离开了房间'),
  whisperBy: (name) => `私聊${amid(name).trimEnd()}`,
  whisperToYou: '私聊你',
  typing: (names) => (names.length > 3 ? '多人正在输入…' : does(names, '正在输入…')),

  yesterday: '昨天',
  today: '今天',
};

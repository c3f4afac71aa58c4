/** The sentences of what `later.ts` brings, in Chinese. */

import type { Rest } from './en.rest';
import { amid, behind } from './zh';

export const rest: Rest = {
  find: '找人',
  nobodyFound: '没有找到。',
  moreHere: (count) => `还有 ${count} 人，输入名字查找。`,
  you: '你',
  whisperTo: (name) => `私聊${amid(name).trimEnd()}`,
  inviteWhy: '拿到这个链接的人都能进入房间。',
  close: '关闭',
  newRoom: '新房间',
  newRoomWhy: '链接随机生成，别人猜不到。',
  toLobby: '去大厅',
  language_: '语言',
  theme: '外观',
  themes: { auto: '跟随系统', light: '浅色', dark: '深色' },
  notify: '有人提到我或私聊我时通知我',
  notifyTrouble: {
    blocked: '浏览器禁止了本站的通知，你可以在浏览器设置里允许。',
    unasked: '浏览器还没有允许本站发通知，打开开关会再次询问你。',
    failed: '浏览器没能显示上一条通知。',
  },
  suggestions: '建议',
  yourNameIs: '你的名字',
  randomName: '随机换一个',
  ownName: '或者自己起一个',
  takeName: '用这个名字',
  whisperFrom: (name) => `${name}${behind(name)}私聊你`,
  whisperCopied: (name) => `（私聊${amid(name).trimEnd()}）`,
  heard: (name, text) => `${name}：${text}`,
  heardMany: (count) => `${count} 条新消息`,
  shut: {
    room_full: '这个房间已满。',
    room_locked: '这个房间已锁定。',
    banned: '你已被禁止进入这个房间。',
    room_invalid: '这个房间名不能用。',
    origin: '不能从这个网址进入。',
    replaced: '聊天已在另一个标签页打开。',
    kicked: '你被移出了房间。',
    left: '你已离开房间。',
    refused: '没能进入房间。',
  },
  shutDo: {
    replaced: '在此继续',
    kicked: '重新进入',
    left: '重新进入',
  },
};

/** The sentences that a first load needs, in English; the rest is in `en.rest.ts`. The type of this record is what every other language must fill. */

const people = (count: number): string => (count === 1 ? '1 other' : `${count} others`);

/** "fox", "fox and 阿狸", "fox, 阿狸 and 3 others" */
function named(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length === 2) return `${names[0]} and ${names[1]}`;
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${people(names.length - 2)}`;
}

export const en = {
  lobby: 'Lobby',
  here: (count: number) => `${count} here`,
  people: 'People',
  invite: 'Invite',
  copyLink: 'Copy link',
  copied: 'Copied',
  qr: 'Scan to join the room',
  more: 'More',

  /** what stands before and after the name */
  youAre: (_name: string): [string, string] => ['You are ', '.'],
  aloneHere: 'No one else is here yet.',
  cameIn: (names: readonly string[]) => `${named(names)} joined.`,
  othersHere: (count: number) => (count === 1 ? 'One other person is here.' : `${count} other people are here.`),
  keptDays: (days: number) => `Messages are kept ${days === 1 ? '1 day' : `${days} days`}.`,
  keptNowhere: 'Messages are kept in memory only.',
  noAccounts: 'No accounts, no IP addresses stored.',

  connecting: 'Connecting…',
  reconnecting: 'Reconnecting… Your messages will be sent once you are back online.',
  back: (count: number) => (count === 0 ? 'Reconnected.' : count === 1 ? 'Reconnected. 1 missed message received.' : `Reconnected. ${count} missed messages received.`),

  messages: 'Messages',
  write: 'Write a message',
  whisper: 'Whisper',
  writeTo: (name: string) => `Whisper to ${name}`,
  send: 'Send',
  emoji: 'Emoji',
  yourName: (name: string) => `Your name: ${name}. Change it`,
  namesake: (name: string) => `Someone called ${name} is here now.`,
  waitSeconds: (seconds: number) => `${seconds} s`,
  waitWhy: (seconds: number) => `One moment, sending again in ${seconds} s`,

  notSent: 'Not sent.',
  tryAgain: 'Try again',
  remove: 'Remove',
  newLine: 'New',
  newBelow: (count: number) => `${count} new`,
  toBottom: 'Jump to the newest message',
  showAll: 'Show all',
  showLess: 'Show less',
  loadingOlder: 'Loading older messages…',
  gap: 'Some of the messages you missed are no longer kept.',
  nowCalled: (from: string, to: string) => `${from} is now called ${to}.`,
  youNowCalled: (to: string) => `You are now called ${to}.`,
  leftYou: (name: string) => `${name} has left. To write to the room, end the private chat.`,
  came: (names: readonly string[]) => `${named(names)} joined`,
  went: (names: readonly string[]) => `${named(names)} left`,
  whisperBy: (name: string) => `whisper to ${name}`,
  whisperToYou: 'whisper to you',
  typing: (names: readonly string[]) => (names.length > 3 ? 'Several people are typing…' : `${named(names)} ${names.length === 1 ? 'is' : 'are'} typing…`),

  yesterday: 'Yesterday',
  today: 'Today',
};

export type Words = typeof en;

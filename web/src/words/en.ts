/** Every sentence of the page, in English. The type of this record is what every other language must fill. */

const people = (count: number): string => (count === 1 ? '1 other' : `${count} others`);

/** "fox", "fox and 阿狸", "fox, 阿狸 and 3 others" */
function named(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length === 2) return `${names[0]} and ${names[1]}`;
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${people(names.length - 2)}`;
}

export const en = {
  language: 'English',
  lobby: 'Lobby',
  here: (count: number) => `${count} here`,
  people: 'People',
  find: 'Find somebody',
  nobodyFound: 'Nobody of that name.',
  moreHere: (count: number) => `and ${count} more: type a name to find them`,
  you: 'you',
  whisperTo: (name: string) => `Whisper to ${name}`,
  invite: 'Invite',
  inviteWhy: 'Whoever has this address can come in.',
  copyLink: 'Copy link',
  copied: 'Copied',
  qr: 'This address as a code to scan',
  more: 'More',
  close: 'Close',
  newRoom: 'New room',
  newRoomWhy: 'With an address that nobody can guess.',
  toLobby: 'To the lobby',
  language_: 'Language',
  theme: 'Look',
  themes: { auto: 'Like the system', light: 'Light', dark: 'Dark' },
  notify: 'Tell me when I am spoken to',
  notifyOff: 'Stop telling me',
  notifyBlocked: 'Your browser has notifications switched off for this page.',

  /** what stands before and behind one's name */
  youAre: (_name: string): [string, string] => ['You are ', '.'],
  aloneHere: 'Nobody else is here yet.',
  cameIn: (names: readonly string[]) => `${named(names)} came in.`,
  othersHere: (count: number) => (count === 1 ? 'One other person is here.' : `${count} others are here.`),
  keptDays: (days: number) => `Kept ${days === 1 ? '1 day' : `${days} days`}.`,
  keptNowhere: 'Nothing is stored.',
  noAccounts: 'No accounts, no addresses stored.',

  connecting: 'Connecting…',
  reconnecting: 'Reconnecting… what you write is kept',
  back: (count: number) => (count === 0 ? 'Back.' : count === 1 ? 'Back. 1 message caught up.' : `Back. ${count} messages caught up.`),

  messages: 'Messages',
  write: 'Say something',
  writeTo: (name: string) => `Whisper to ${name}`,
  send: 'Send',
  emoji: 'Emoji',
  yourName: (name: string) => `Your name: ${name}. Change it`,
  onlySees: (name: string) => `Only ${name} sees this`,
  endWhisper: 'Back to everybody',
  partnerGone: (name: string) => `${name} has left`,
  waitSeconds: (seconds: number) => `${seconds} s`,
  waitWhy: (seconds: number) => `A moment: ${seconds} s`,
  left: (count: number) => `${count}`,
  tooLongBy: (count: number) => `${count} too many`,
  suggestions: 'Suggestions',
  usage: (usage: string) => `Use it so: ${usage}`,

  newName: 'Draw another name',
  ownName: 'Or choose one',
  take: 'Take it',
  nameRules: 'Your name in this room.',

  notSent: 'Not sent.',
  /** the text itself cannot be said, so that trying again is of no use */
  unsent: {
    bad_request: 'Not sent: control or text-direction characters cannot be sent.',
    empty: 'Not sent: nothing in it can be seen.',
    too_long: 'Not sent: it is too long.',
  },
  tryAgain: 'Try again',
  remove: 'Remove',
  sending: 'Sending',
  newLine: 'New',
  newBelow: (count: number) => `${count} new`,
  toBottom: 'To the newest',
  loadingOlder: 'Looking further back…',
  gap: 'Some older messages are no longer kept.',
  nowCalled: (from: string, to: string) => `${from} is now ${to}.`,
  youNowCalled: (to: string) => `You are now ${to}.`,
  leftYou: (name: string) => `${name} has left. What you write goes to nobody until you end the whisper.`,
  came: (names: readonly string[]) => `${named(names)} came`,
  went: (names: readonly string[]) => `${named(names)} left`,
  whisperFrom: (name: string) => `${name}, only to you`,
  whisperBy: (name: string) => `only to ${name}`,
  whisperToYou: 'only to you',
  typing: (names: readonly string[]) => (names.length > 3 ? 'Several are writing…' : `${named(names)} ${names.length === 1 ? 'is' : 'are'} writing…`),

  heard: (name: string, text: string) => `${name}: ${text}`,
  heardMany: (count: number) => `${count} new messages`,

  shut: {
    room_full: 'This room is full just now.',
    room_locked: 'This room is locked.',
    banned: 'You cannot come into this room.',
    room_invalid: 'There can be no room of this name.',
    origin: 'This chat does not take visitors from this address.',
    replaced: 'You are here in another tab.',
    kicked: 'You were asked to leave.',
    left: 'You left.',
    refused: 'The door did not open.',
  },
  shutDo: {
    room_full: 'Try again',
    room_locked: 'Try again',
    banned: 'To the lobby',
    room_invalid: 'To the lobby',
    origin: 'Try again',
    replaced: 'Use here',
    kicked: 'Come back',
    left: 'Come back',
    refused: 'Try again',
  },

  /** What the server refuses, by its code; a code that is not here is told as `other`. */
  refusals: {
    name_taken: (name: string) => `That name is taken. Try ${name}2?`,
    name_invalid: 'A name has 1 to 32 visible characters.',
    name_reserved: 'That name is kept for the house.',
    no_such_person: 'Nobody of that name is here.',
    empty: 'There is nothing in it yet.',
    too_long: 'That is too long.',
    unknown_command: 'There is no such command. Type / to see them.',
    room_invalid: 'There can be no room of this name.',
    room_full: 'That room is full just now.',
    room_locked: 'That room is locked.',
    rate_limited: 'A moment, please.',
    slow_mode: 'This room takes its time. A moment, please.',
    muted: 'You cannot speak here just now.',
    banned: 'You cannot come into that room.',
    not_allowed: 'That is not for you to do.',
    offline: 'Not connected just now. Try again in a moment.',
    unavailable: 'That did not get through. Try again in a moment.',
    other: 'That did not work.',
  },

  yesterday: 'Yesterday',
  today: 'Today',
};

export type Words = typeof en;

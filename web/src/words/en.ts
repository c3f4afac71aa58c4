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
  onlyHere: 'This link works on this computer only.',
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
  onlySees: (name: string) => `Only ${name} sees this`,
  endWhisper: 'End whisper',
  partnerGone: (name: string) => `${name} has left`,
  namesake: (name: string) => `Someone called ${name} is here now.`,
  continueWhisper: 'Continue',
  waitSeconds: (seconds: number) => `${seconds} s`,
  waitWhy: (seconds: number) => `One moment, sending again in ${seconds} s`,
  left: (count: number) => `${count}`,
  tooLongBy: (count: number) => (count === 1 ? '1 character over' : `${count} characters over`),
  usage: (usage: string) => `Usage: ${usage}`,

  notSent: 'Not sent.',
  /** the text itself cannot be sent, so there is no point in trying again */
  unsent: {
    bad_request: "Not sent. It contains hidden characters that can't be sent.",
    empty: 'Not sent. There is nothing visible in it.',
    too_long: 'Not sent. It is too long.',
  },
  sendWithout: 'Send without it',
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
  leftYou: (name: string) => `${name} has left. To write to the room, end the whisper.`,
  came: (names: readonly string[]) => `${named(names)} joined`,
  went: (names: readonly string[]) => `${named(names)} left`,
  whisperBy: (name: string) => `whisper to ${name}`,
  whisperToYou: 'whisper to you',
  typing: (names: readonly string[]) => (names.length > 3 ? 'Several people are typing…' : `${named(names)} ${names.length === 1 ? 'is' : 'are'} typing…`),

  /** What the server refuses, by its code; `other` stands for a code that is not here. */
  refusals: {
    name_taken: (name: string) => `That name is taken. Try ${name}2?`,
    name_invalid: 'A name needs 1 to 32 visible characters.',
    name_reserved: 'That name is reserved.',
    empty: 'There is nothing to send.',
    too_long: 'That is too long.',
    unknown_command: 'No such command. To say it as it is, begin with //.',
    no_such_person: 'No one here has that name. To send this as a message, begin it with /say.',
    room_invalid: "That room name can't be used.",
    room_full: 'That room is full.',
    room_locked: 'That room is locked.',
    rate_limited: 'Too fast. Please wait a moment.',
    slow_mode: 'Slow mode is on. Please wait a moment.',
    muted: 'You are muted in this room.',
    banned: 'You are banned from that room.',
    not_allowed: "You can't do that.",
    offline: 'Not connected. Try again in a moment.',
    unavailable: "That didn't go through. Try again in a moment.",
    text_only: 'Only text can be sent.',
    recipient_left: 'Not sent. They have left.',
    recipient_other: 'This may be someone else than before. Send it again to send it to them.',
    written_before: 'You wrote this before they left. Check that this is the same person.',
    confirm: (name: string) => `${name ? `Only ${name}` : 'Everyone in this room'} will see this. Send it again to confirm.`,
    other: "That didn't work.",
  },

  yesterday: 'Yesterday',
  today: 'Today',
};

export type Words = typeof en;

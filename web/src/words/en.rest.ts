/** The sentences of what `later.ts` brings, in English. */

export const rest = {
  find: 'Find someone',
  nobodyFound: 'No one found.',
  moreHere: (count: number) => `${count} more. Type a name to find someone.`,
  you: 'you',
  whisperTo: (name: string) => `Whisper to ${name}`,
  inviteWhy: 'Anyone with this link can join.',
  close: 'Close',
  newRoom: 'New room',
  newRoomWhy: 'With a random link that no one can guess.',
  toLobby: 'Go to the lobby',
  language_: 'Language',
  theme: 'Theme',
  themes: { auto: 'System', light: 'Light', dark: 'Dark' },
  notify: 'Notify me of mentions and whispers',
  notifyTrouble: {
    blocked: "Your browser blocks notifications from this site. You can allow them in the browser's settings.",
    unasked: 'Your browser has not allowed notifications from this site yet. Turn this on to ask again.',
    failed: "Your browser couldn't show the last notification.",
  },
  suggestions: 'Suggestions',
  yourNameIs: 'Your name',
  randomName: 'Random name',
  ownName: 'Or type your own',
  takeName: 'Use this name',
  whisperFrom: (name: string) => `${name} whispers to you`,
  heard: (name: string, text: string) => `${name}: ${text}`,
  heardMany: (count: number) => `${count} new messages`,
  shut: {
    room_full: 'This room is full.',
    room_locked: 'This room is locked.',
    banned: 'You are banned from this room.',
    room_invalid: "That room name can't be used.",
    origin: "This chat can't be opened from this address.",
    replaced: 'This chat is open in another tab.',
    kicked: 'You were removed from the room.',
    left: 'You left the room.',
    refused: "Couldn't join.",
  },
  shutDo: {
    replaced: 'Continue here',
    kicked: 'Join again',
    left: 'Join again',
  },
};

export type Rest = typeof rest;

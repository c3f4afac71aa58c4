/** How a day is shown: as a word, as a date, or with the year too, as after a wrong clock on the server. */

export type DayKind = 'today' | 'yesterday' | 'date' | 'year';

/** `midnight`: when today began. */
export function dayKind(time: number, midnight: number): DayKind {
  // Rounded, because a day may have 23 or 25 hours.
  const days = Math.round((new Date(time).setHours(0, 0, 0, 0) - midnight) / 86_400_000);
  if (days === 0) return 'today';
  if (days === -1) return 'yesterday';
  return new Date(time).getFullYear() === new Date(midnight).getFullYear() ? 'date' : 'year';
}

/** How a day is spoken of: by its own word, by its date, or with the year as well, as from a server's wrong clock. */

export type DayKind = 'today' | 'yesterday' | 'date' | 'year';

/** `midnight`: when today began. */
export function dayKind(time: number, midnight: number): DayKind {
  // Rounded, because a day may have 23 or 25 hours.
  const days = Math.round((new Date(time).setHours(0, 0, 0, 0) - midnight) / 86_400_000);
  if (days === 0) return 'today';
  if (days === -1) return 'yesterday';
  return new Date(time).getFullYear() === new Date(midnight).getFullYear() ? 'date' : 'year';
}

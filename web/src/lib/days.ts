/** How a day is spoken of: by its own word, by its date, or with the year as well, as from a server's wrong clock. */

export type DayKind = 'today' | 'yesterday' | 'date' | 'year';

/** `midnight`: when today began. */
export function dayKind(time: number, midnight: number): DayKind {
  const then = new Date(time).setHours(0, 0, 0, 0);
  const yesterday = new Date(midnight);
  yesterday.setDate(yesterday.getDate() - 1);
  if (then === midnight) return 'today';
  if (then === yesterday.getTime()) return 'yesterday';
  return new Date(then).getFullYear() === new Date(midnight).getFullYear() ? 'date' : 'year';
}

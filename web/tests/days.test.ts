import { expect, it } from 'vitest';
import { dayKind } from '../src/lib/days';

const midnight = new Date(2026, 10, 28).getTime();

it.each([
  ['today', new Date(2026, 10, 28)],
  ['today', new Date(2026, 10, 28, 23, 59, 59)],
  ['yesterday', new Date(2026, 10, 27)],
  ['date', new Date(2026, 10, 26, 23, 59, 59)],
  ['date', new Date(2026, 10, 29)],
  ['date', new Date(2026, 0, 1)],
  ['year', new Date(2025, 11, 31)],
  ['year', new Date(2036, 10, 28)],
] as const)('%s: %s', (kind, time) => {
  expect(dayKind(time.getTime(), midnight)).toBe(kind);
});

import { expect, test } from 'vitest';
import { channelName, InvalidReadingError, meterName, tenantName } from './index.ts';

test.each(['a', 'default', 'grid-804', 'a'.repeat(63)])('%s is a tenant', (text) => {
  expect(tenantName(text)).toBe(text);
});

test.each(['', 'A', '-a', 'a-', 'a b', 'a/b', 'ä', 'a'.repeat(64), '..', 'a\n'])('%j is no tenant', (text) => {
  expect(() => tenantName(text)).toThrow(InvalidReadingError);
});

test.each(['1', 'MAC000002', 'DE 00 11', 'zähler-7', 'a/b', 'x'.repeat(64)])('%s is a meter', (text) => {
  expect(meterName(text)).toBe(text);
});

test.each(['', ' a', 'a ', 'a\tb', 'a\nb', 'a\u0000', 'x'.repeat(65), '\u202ea'])(
  '%j is no meter and no channel',
  (text) => {
    expect(() => meterName(text)).toThrow(InvalidReadingError);
    expect(() => channelName(text)).toThrow(InvalidReadingError);
  },
);

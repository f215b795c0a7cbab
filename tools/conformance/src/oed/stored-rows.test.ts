import { describe, expect, test } from 'vitest';
import { expectedRows, firstDifference } from './stored-rows.ts';

const rows = (text: string) => expectedRows(text);
const given = '24,2021-06-01 00:00:00,2021-06-02 00:00:00\n48.5,2021-06-02 00:00:00,2021-06-03 00:00:00\n';

describe('comparing stored rows', () => {
  test('takes them in any order, and numbers however they are written', () => {
    const theirs =
      '4.850e1,2021-06-02 00:00:00,2021-06-03 00:00:00\r\n\r\n24.0, 2021-06-01 00:00:00,2021-06-02 00:00:00';
    expect(firstDifference(rows(given), rows(theirs))).toBeUndefined();
    expect(firstDifference(rows('1e-9,a,b'), rows('0.000000001,a,b'))).toBeUndefined();
    expect(firstDifference(rows('0.3,a,b'), rows('0.30000000000000004,a,b'))).toBeUndefined();
  });

  test.each([
    ['a value', given.replace('24,', '24.000000001,')],
    ['a start', given.replace('2021-06-01 00:00:00', '2021-06-01 00:00:01')],
    ['an end', given.replace('2021-06-03', '2021-06-04')],
    ['a row too few', given.split('\n')[0] ?? ''],
    ['a row too many', `${given}${given.split('\n')[0] ?? ''}`],
    ['no row', ''],
    ['a value that is none', given.replace('24,', 'NaN,')],
  ])('tells %s', (_, theirs) => {
    expect(firstDifference(rows(given), rows(theirs))).toMatch(/^row \d: expected/);
  });
});

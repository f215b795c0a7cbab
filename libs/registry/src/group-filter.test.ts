import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asksFor,
  filterCharsMax,
  filterDepthMax,
  FilterSyntaxError,
  matches,
  parseFilter,
  requirementOf,
  type GroupFilter,
} from './group-filter.ts';

const series = { meter: 'm-1', channel: 'import' };
const tags = { grid_area: '804', supplier: "O'Neil", area: 804, smart: true };
const takes = (text: string): boolean => matches(parseFilter(text), series, tags);

describe('a filter', () => {
  test.each([
    "grid_area = 804 and supplier = 'O''Neil'",
    'area = 804',
    "area = '804'",
    'smart = true',
    'meter = m-1 AND channel IN (export, import)',
    'not supplier = Y and grid_area != 805',
    'supplier = Y or area = 804 and smart = true',
    '(supplier = Y or area = 804) and not (smart = false)',
    'none != 1',
    'NOT none in (1, 2)',
  ])('takes by %s', (text) => {
    expect(takes(text)).toBe(true);
  });

  test.each(['grid_area = 0804', 'none = 1', 'not smart = true', 'supplier = Y and (area = 804 or smart = true)'])(
    'leaves by %s',
    (text) => {
      expect(takes(text)).toBe(false);
    },
  );

  test('has no tags but those that are registered', () => {
    expect(matches(parseFilter('constructor != 1'), series, {})).toBe(true);
    expect(matches(parseFilter('toString = x'), series, {})).toBe(false);
  });

  test.each([
    ['', 1, '"meter" or "channel"'],
    ['area', 5, '"=", "!=" or "in"'],
    ['area = ', 8, 'a number, a word'],
    ['area = 804 supplier = X', 12, '"and", "or" or the end'],
    ['area in 804', 9, '"("'],
    ['area in (804', 13, '")"'],
    ['(area = 804', 12, '")"'],
    ["area = 'x", 8, 'begins nothing'],
    ['and = 1', 1, '"meter" or "channel"'],
    ['a.b = 1', 1, '"meter" or "channel"'],
    ['area == 1', 7, 'a number, a word'],
    [`${'('.repeat(filterDepthMax + 1)}a=1`, filterDepthMax + 2, 'levels deep'],
    [`${'not '.repeat(100_00)}a=1`, filterCharsMax + 1, 'characters at most'],
  ])('%j is none, told by place', (text, at, reason) => {
    let error: unknown;
    try {
      parseFilter(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FilterSyntaxError);
    expect(error).toMatchObject({ at });
    expect(String(error)).toContain(reason);
  });

  test('tells what every series of it has, and whether it asks for a field', () => {
    expect(requirementOf(parseFilter('not a = 1 and (b = 2 and c = 3)'))).toMatchObject({ field: 'b', values: [2] });
    expect(requirementOf(parseFilter('a = 1 or b = 2'))).toBeUndefined();
    expect(asksFor(parseFilter('a = 1 or not (channel = x)'), 'channel')).toBe(true);
    expect(asksFor(parseFilter('a = 1'), 'channel')).toBe(false);
  });

  test('means the same written and read', () => {
    const leaf = fc.record({
      is: fc.constant('in' as const),
      field: fc.constantFrom('meter', 'a', 'b'),
      values: fc.array(fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom('x', "it's", 'and', '( ,)')), {
        minLength: 1,
        maxLength: 3,
      }),
    });
    const { filter } = fc.letrec<{ filter: GroupFilter }>((tie) => ({
      filter: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.record({ is: fc.constant('not' as const), part: tie('filter') }),
        fc.record({
          is: fc.constantFrom('and' as const, 'or' as const),
          parts: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
        }),
      ),
    }));
    fc.assert(
      fc.property(filter, (each) => {
        expect(parseFilter(written(each))).toEqual(each);
      }),
      { numRuns: 200 },
    );
  });
});

function written(filter: GroupFilter): string {
  switch (filter.is) {
    case 'in':
      return `${filter.field} in (${filter.values.map((each) => (typeof each === 'string' ? `'${each.replaceAll("'", "''")}'` : String(each))).join(', ')})`;
    case 'not':
      return `not (${written(filter.part)})`;
    case 'and':
    case 'or':
      return filter.parts.map((part) => `(${written(part)})`).join(` ${filter.is} `);
  }
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelsMeet, matchesChannel } from './channel-glob.ts';

const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 6 });
const words = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 });

test.each([
  ['import', 'import', true],
  ['import*', '*-1', true],
  ['import*', 'export*', false],
  ['*', 'net', true],
  ['a*b', 'b*a', false],
  ['import', 'import-1', false],
])('%s and %s: %s', (a, b, meets) => {
  expect([channelsMeet(a, b), channelsMeet(b, a)]).toEqual([meets, meets]);
});

test('law: what fits both is found, and what meets has a channel that fits both', () => {
  fc.assert(
    fc.property(glob, fc.array(words, { minLength: 6, maxLength: 6 }), glob, (a, fills, b) => {
      // One way to fill the stars of a: where it fits b as well, the two meet.
      const channel = Array.from(a, (letter) => letter)
        .map((letter, index) => (letter === '*' ? fills[index] : letter))
        .join('');
      expect(matchesChannel(a, channel)).toBe(true);
      expect(matchesChannel(b, channel) && !channelsMeet(a, b)).toBe(false);
    }),
  );
  const short = ['', 'a', 'b'].flatMap((x) => ['', 'a', 'b'].flatMap((y) => ['', 'a', 'b'].map((z) => x + y + z)));
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 }),
      (a, b) => {
        const longer = short.flatMap((one) => short.map((two) => one + two));
        expect(channelsMeet(a, b)).toBe(longer.some((word) => matchesChannel(a, word) && matchesChannel(b, word)));
      },
    ),
  );
});

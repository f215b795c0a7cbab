import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesChannel } from './channel-glob.ts';

const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 6 });
const words = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 });

test.each([
  ['import', 'import', true],
  ['import*', 'import-1', true],
  ['import*', 'export', false],
  ['*', 'net', true],
  ['a*b', 'ba', false],
  ['import', 'import-1', false],
])('%s and %s: %s', (pattern, channel, matches) => {
  expect(matchesChannel(pattern, channel)).toBe(matches);
});

test('law: whatever the stars of a glob are filled with fits it, and what else fits is such a one', () => {
  fc.assert(
    fc.property(glob, fc.array(words, { minLength: 6, maxLength: 6 }), words, (pattern, fills, word) => {
      const channel = Array.from(pattern, (letter, index) => (letter === '*' ? fills[index] : letter)).join('');
      expect(matchesChannel(pattern, channel)).toBe(true);
      expect(matchesChannel(pattern, word)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(word));
    }),
  );
});

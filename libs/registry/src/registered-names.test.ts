import fc from 'fast-check';
import { expect, test } from 'vitest';
import { registeredNames } from './registered-names.ts';
import { seriesPath } from './series-path.ts';
import { MemoryRegistry } from './testing/index.ts';

const name = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '/', '!', ' ', '9', 'é', '\uff5e', '😀'),
  minLength: 1,
  maxLength: 4,
});

test('registered series come in the order of their bytes, each once, however few are held at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(name, name), { maxLength: 30, selector: (each) => each.join('\0') }),
      fc.integer({ min: 1, max: 12 }),
      async (names, heldMax) => {
        const registry = new MemoryRegistry();
        for (const [meter, channel] of [...names, ['other', 'tenant'] as const]) {
          const tenant = meter === 'other' ? 'other' : 'acme';
          await registry.put('series', `${tenant}/${seriesPath(meter, channel)}`, { value: {}, expectedRevision: 0 });
        }
        const found = await Array.fromAsync(registeredNames(registry, 'acme', heldMax));
        const bytes = (each: readonly string[]): Buffer => Buffer.from(each.join('\0'));
        const sorted = names.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)));
        expect(found.map(({ meter, channel }) => [meter, channel])).toEqual(sorted);
      },
    ),
    { numRuns: 200 },
  );
});

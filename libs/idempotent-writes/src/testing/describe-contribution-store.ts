import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContributionCell, ContributionStore, ContributionWrite, NodeDay } from '../contribution-store.ts';
import type { ErasableStore } from '../erasure.ts';

/** A store of contributions of its own, empty. */
export interface ContributionStoreUnderTest {
  readonly store: ContributionStore;
  /** The same store; absent where nothing is erased from it. */
  readonly erasable?: ErasableStore;
  close(): Promise<void>;
}

const node = { meter: 'group:street', channel: 'node' };
const day = 19_800;
const content = (text: string): Uint8Array => new TextEncoder().encode(text);
const cell = (meter: string, text: string, change: Partial<ContributionCell> = {}): ContributionCell => ({
  node,
  day,
  child: { meter, channel: 'import' },
  content: content(text),
  ...change,
});
const write = (ticket: number, ...cells: ContributionCell[]): ContributionWrite => ({ tenant: 'acme', ticket, cells });

/** What every store of contributions promises. */
export function describeContributionStore(
  name: string,
  open: () => Promise<ContributionStoreUnderTest>,
  { runs = 40, isErasable = true }: { readonly runs?: number; readonly isErasable?: boolean } = {},
): void {
  describe(`${name} as a store of contributions`, () => {
    let subject: ContributionStoreUnderTest;
    let store: ContributionStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });

    afterEach(() => subject.close());

    const stored = async (change: Partial<NodeDay> = {}): Promise<string[]> => {
      const found = await store.read({ tenant: 'acme', node, day, ...change });
      return found
        .map(
          (each) => `${each.child.meter} ${each.child.channel} ${each.ticket} ${Buffer.from(each.content).toString()}`,
        )
        .sort();
    };

    test('a node has what each of its children gave, and no other node, day or tenant has it', async () => {
      await store.write([write(1, cell('m1', 'one'), cell('m2', 'two')), write(2, cell('m3', 'three'))]);
      expect(await stored()).toEqual(['m1 import 1 one', 'm2 import 1 two', 'm3 import 2 three']);
      expect(await stored({ tenant: 'other' })).toEqual([]);
      expect(await stored({ day: day + 1 })).toEqual([]);
      expect(await stored({ node: { ...node, channel: 'node/1' } })).toEqual([]);
    });

    test('the higher ticket stays, whichever comes first, and an equal contribution raises it', async () => {
      await store.write([write(5, cell('m1', 'five'))]);
      await store.write([write(4, cell('m1', 'four'))]);
      expect(await stored()).toEqual(['m1 import 5 five']);
      await store.write([write(7, cell('m1', 'five'))]);
      await store.write([write(6, cell('m1', 'six'))]);
      expect(await stored()).toEqual(['m1 import 7 five']);
    });

    test('a child that left has an empty contribution', async () => {
      await store.write([write(1, cell('m1', 'one'))]);
      await store.write([write(2, cell('m1', ''))]);
      expect(await stored()).toEqual(['m1 import 2 ']);
    });

    test('channels of a meter, and names that begin alike, are children of their own', async () => {
      const children = [
        { meter: 'm', channel: 'import' },
        { meter: 'm', channel: 'export' },
        { meter: 'm1', channel: 'import' },
        { meter: 'group:m', channel: 'node/1' },
        { meter: 'group:m', channel: 'node/12' },
      ];
      await store.write([write(3, ...children.map((child) => cell('', child.channel, { child })))]);
      expect(await stored()).toEqual(children.map(({ meter, channel }) => `${meter} ${channel} 3 ${channel}`).sort());
    });

    test('any order, grouping and repetition of writes ends in the same', async () => {
      const one = fc.record({
        ticket: fc.integer({ min: 1, max: 6 }),
        child: fc.nat(2),
        text: fc.constantFrom('a', 'bb', ''),
      });
      const groups = fc.array(fc.array(one, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
      let tried = 0;
      await fc.assert(
        fc.asyncProperty(groups, async (written) => {
          const of = { ...node, channel: `node/${++tried}` };
          for (const group of written) {
            await store.write(
              group.map(({ ticket, child, text }) => write(ticket, cell(`m${child}`, text, { node: of }))),
            );
          }
          const expected = [0, 1, 2].flatMap((child) => {
            const mine = written.flat().filter((each) => each.child === child);
            const [best] = mine.sort((a, b) => b.ticket - a.ticket || (a.text < b.text ? 1 : -1));
            return best === undefined ? [] : [`m${child} import ${best.ticket} ${best.text}`];
          });
          expect(await stored({ node: of })).toEqual(expected);
        }),
        { numRuns: runs },
      );
    });

    if (!isErasable) {
      return;
    }

    test('a series that was erased has given nothing, and nothing of up to that ticket comes back', async () => {
      const erasable = erasableOf(subject);
      await store.write([
        write(1, cell('m1', 'one'), cell('m2', 'two')),
        write(2, cell('m1', 'later', { day: day + 1 })),
      ]);
      const scope = { tenant: 'acme', series: { meter: 'm1' }, upTo: 4 };
      expect((await erasable.found(scope)).rows).toBe(2);
      expect((await erasable.erase(scope)).rows).toBe(2);
      await store.write([write(4, cell('m1', 'one')), write(3, cell('m3', 'three'))]);
      expect(await stored()).toEqual(['m2 import 1 two', 'm3 import 3 three']);
      await store.write([write(5, cell('m1', 'new'))]);
      expect(await stored()).toEqual(['m1 import 5 new', 'm2 import 1 two', 'm3 import 3 three']);
      expect((await erasable.erase(scope)).rows).toBe(0);
    });

    test('a tenant that was erased has none', async () => {
      const erasable = erasableOf(subject);
      await store.write([write(1, cell('m1', 'one')), { ...write(1, cell('m1', 'one')), tenant: 'other' }]);
      expect((await erasable.erase({ tenant: 'acme', upTo: 2 })).rows).toBe(1);
      await store.write([write(2, cell('m1', 'one')), write(3, cell('m2', 'two'))]);
      expect(await stored()).toEqual(['m2 import 3 two']);
      expect(await stored({ tenant: 'other' })).toEqual(['m1 import 1 one']);
    });
  });
}

function erasableOf({ erasable }: ContributionStoreUnderTest): ErasableStore {
  if (erasable === undefined) {
    throw new Error('the suite was not given what can be erased');
  }
  return erasable;
}

import { wholeWindow } from '@meterflow/aggregates';
import type { LedgerSummary } from '@meterflow/idempotent-writes';
import { aggregateWrite, canonicalRows, shownAggregates, writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { RevisionConflictError } from '@meterflow/registry';
import { deadLetter } from '@meterflow/stage/testing';
import { describe, expect, test } from 'vitest';
import { CutShort, cutShort, type Cut } from './testing/cut-short.ts';
import { withEmulator, type OpenStores } from './testing/temporary-stores.ts';
import type { BigtableStores } from './open-stores.ts';
import { tables } from './schema.ts';
import { firstCellOnly } from './wire/row-filter.ts';

const dayMs = 86_400_000;
const m1 = { meter: 'm1', channel: 'import' };
const cause = (key: string, part = 0, parts = 1) => ({ sourceId: 's', key, part, parts });

function reading(slot: number, integer: number): PlainReading {
  return {
    ...{ ...m1, startMs: epochMs + slot * 900_000, lengthMs: 900_000, integer, decimals: 0 },
    ...{ quality: 0, unit: 'kWh', reason: '', declared: 0 },
  };
}

const raw = writeOf({ acceptedAtMs: 10, readings: [reading(0, 1), reading(100, 1)] }, { sourceId: 's' });
const older = writeOf({ acceptedAtMs: 5, readings: [reading(0, 9), reading(1, 9)] }, { sourceId: 's' });
const sheet = (sum: number) => ({ startMs: epochMs, endMs: epochMs + dayMs, sums: { 0: sum, [wholeWindow]: sum } });
const request = {
  ...{ tenant: 'acme', kind: 'request' as const, identity: 'k', contentHash: 'h', label: 'a.csv', mapping: 'm@1' },
  ...{ sourceVersion: 0, activation: 1, nowMs: 5_000, readingsPerBatch: 9, startsFromMs: 7, intervalLengths: '' },
};
const closing = { batches: 0, received: 3, accepted: 0, rejected: 3, atMs: 6_000 };
const rejectAt = (line: number) => ({ line, column: '', code: 'c', reason: 'r', text: 't' });

/** Counts are advisory, and tell of the time of day. */
const batchesOf = (summaries: readonly LedgerSummary[]): unknown =>
  summaries.map(({ batchesStored, batchesDead, batchesParked }) => [batchesStored, batchesDead, batchesParked]);
const ledgerOf = async ({ ledger }: BigtableStores): Promise<unknown> => batchesOf(await ledger.summary('s'));
const lettersOf = async (stores: BigtableStores): Promise<unknown> => [
  await stores.deadLetters.list({ limit: 9 }),
  await stores.deadLetters.counts(),
  await ledgerOf(stores),
];
const publisher = { publish: () => Promise.resolve() };

/** Something that a process does and, where it was ended, the next one does again. */
interface Deed {
  readonly name: string;
  readonly only: readonly string[];
  readonly prepare?: (stores: BigtableStores) => Promise<unknown>;
  readonly act: (stores: BigtableStores) => Promise<unknown>;
  readonly look: (stores: BigtableStores) => Promise<unknown>;
}

const letterTables = ['dead_letters', 'ledger'];
const deeds: readonly Deed[] = [
  {
    name: 'a write of readings',
    only: ['readings', 'ledger'],
    act: (stores) => stores.readings('raw').write([raw, older]),
    look: async (stores) => [await canonicalRows(stores.readings('raw'), m1), await ledgerOf(stores)],
  },
  {
    name: 'a write of aggregates over older ones',
    only: ['aggregates', 'ledger'],
    prepare: ({ aggregates }) => aggregates.write([aggregateWrite({ ticket: 1, sheets: [sheet(1)] })]),
    act: ({ aggregates }) =>
      aggregates.write([aggregateWrite({ ticket: 2, sheets: [sheet(2)], causes: [cause('a'), cause('b')] })]),
    look: async (stores) => [
      shownAggregates(
        await stores.aggregates.read({ tenant: 'acme', ...m1, level: 'day', fromMs: 0, toMs: epochMs + 9 * dayMs }),
      ),
      await ledgerOf(stores),
    ],
  },
  {
    name: 'a dead letter put in place of another',
    only: letterTables,
    prepare: ({ deadLetters }) => deadLetters.put([deadLetter(1, { causes: [cause('a')] })]),
    act: ({ deadLetters }) => deadLetters.put([deadLetter(1, { causes: [cause('b')], atMs: 9_000, layers: ['raw'] })]),
    look: lettersOf,
  },
  {
    name: 'a retry of a dead letter',
    only: letterTables,
    prepare: ({ deadLetters }) => deadLetters.put([deadLetter(1, { causes: [cause('a')] }), deadLetter(2)]),
    act: ({ deadLetters }) => deadLetters.retry(['persistence/k1'], { publisher }),
    look: lettersOf,
  },
  {
    name: 'a purge of a parked batch',
    only: letterTables,
    prepare: ({ deadLetters }) => deadLetters.put([deadLetter(1, { causes: [cause('a')], state: 'parked' })]),
    act: ({ deadLetters }) => deadLetters.purge(['persistence/k1']),
    // Whether the ledger's row says parked or dead, the receipt comes to its end.
    look: async ({ deadLetters }) => [await deadLetters.list({ limit: 9 }), await deadLetters.counts()],
  },
  {
    name: 'a source from its acceptance to its end',
    only: ['sources', 'counters', 'ledger'],
    act: async (stores) => {
      const sources = stores.sources();
      const { sourceId, finished } = await sources.accept({ ...request, delivery: 'a' });
      if (!finished) {
        await sources.reject(sourceId, [1, 2, 10_001].map(rejectAt));
        await sources.close(sourceId, closing);
      }
    },
    look: async (stores) => {
      const sources = stores.sources({ nowMs: () => 6_000 });
      const receipts = await sources.list('acme', { limit: 9 });
      return [receipts.map(({ sourceId: _, ...receipt }) => receipt), await sources.acceptedOn('acme', 6_000)];
    },
  },
  {
    name: 'a change of the registry',
    only: ['registry'],
    prepare: ({ registry }) => registry.put('flow', 'acme/a', { value: 1, expectedRevision: 0 }),
    act: ({ registry }) =>
      registry.put('flow', 'acme/a', { value: 2, expectedRevision: 1 }).catch((error: unknown) => {
        if (!(error instanceof RevisionConflictError)) {
          throw error;
        }
      }),
    look: ({ registry }) => registry.list('flow', { prefix: '', limit: 9 }),
  },
  {
    name: 'an upload that is read and removed, and a sweep',
    only: ['uploads'],
    act: async ({ uploads }) => {
      const writer = await uploads.create({ bytesMax: 9 });
      await writer.write(Buffer.from('meter'));
      const { id } = await writer.finish();
      await uploads.remove(id);
      await uploads.sweep(Date.now() + 1_000);
    },
    look: (stores) =>
      stores.table(tables.uploads.name).read({
        ranges: [{ from: Buffer.of(0), to: Buffer.alloc(0) }],
        filter: firstCellOnly,
      }),
  },
  {
    name: 'a compaction',
    only: ['readings', 'ledger'],
    prepare: async (stores) => {
      await stores.readings('raw').write([older]);
      await stores.readings('raw').write([raw]);
    },
    act: (stores) =>
      stores.readings('raw').compact({ fromMs: 0, closedBeforeMs: epochMs + 9 * dayMs, acceptedBeforeMs: 1_000 }),
    look: async (stores) => {
      const days = { tenant: 'acme', ...m1, layer: 'raw' as const, fromMs: 0, toMs: epochMs + 9 * dayMs };
      const history = await stores.readings('raw').history(days);
      return [await canonicalRows(stores.readings('raw'), m1), history.map(({ columns }) => [...columns.values])];
    },
  },
  {
    name: 'an erasure',
    only: ['readings', 'ledger'],
    prepare: (stores) => stores.readings('raw').write([older, raw]),
    act: (stores) => stores.readings('raw').erase({ tenant: 'acme', series: { meter: 'm1' }, upTo: 50 }),
    look: async (stores) => [
      await canonicalRows(stores.readings('raw'), m1),
      await stores.readings('raw').found({ tenant: 'acme', series: { meter: 'm1' }, upTo: 50 }),
    ],
  },
];

/** More than any deed has. */
const callsMax = 60;

withEmulator('ended before or after any call to Bigtable', (emulator) => {
  const prepared = async ({ only, prepare }: Deed): Promise<OpenStores> => {
    const stores = await emulator.open({ only });
    await prepare?.(stores);
    return stores;
  };

  /** What is left when a process is cut and the next one does it all; undefined when it was done before the cut. */
  async function leftAfter(deed: Deed, cut: Cut): Promise<unknown> {
    const stores = await prepared(deed);
    const mend = cutShort(stores, cut);
    const wasCut = await deed.act(stores).then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof CutShort)) {
          throw error;
        }
        return true;
      },
    );
    mend();
    await stores.close();
    if (!wasCut) {
      return undefined;
    }
    const next = emulator.reopen(stores);
    await deed.act(next);
    return deed.look(next);
  }

  describe('and done again by the next process, the end state is the same', () => {
    test.each(deeds)('$name', async (deed) => {
      const stores = await prepared(deed);
      await deed.act(stores);
      const expected = await deed.look(stores);
      await stores.close();
      let cuts = 0;
      for (const where of ['before', 'after'] as const) {
        for (let call = 1; call <= callsMax; call++) {
          const left = await leftAfter(deed, { call, where });
          if (left === undefined) {
            break;
          }
          cuts += 1;
          expect(left, `cut ${where} call ${call}`).toEqual(expected);
        }
      }
      expect(cuts).toBeGreaterThan(3);
    });
  });
});

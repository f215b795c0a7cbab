import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dataDirectory } from '../data-directory.ts';
import { fillStores } from '../testing/filled-stores.ts';
import { openAggregateStore, type EmbeddedAggregateStore } from './aggregate-store.ts';
import { daysPerSeries } from './reading-schema.ts';
import { openReadingStore, type EmbeddedReadingStore } from './reading-store.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const firstMs = Date.UTC(2025, 5, 1);
const meters = 12;
/** A name that needs quoting wherever names are put into a text. */
const meterName = (meter: number): string => `m"\\${meter}'é`;

let root: string;
let readings: EmbeddedReadingStore;
let aggregates: EmbeddedAggregateStore;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-gathered-'));
  const all = Array.from({ length: meters * 30 }, (_, index) => ({
    ...(index % 5 === 0 ? { tenant: 'other' } : {}),
    meter: meterName(index % meters),
    startMs: firstMs + Math.floor(index / meters) * 7 * hourMs,
    ...{ lengthMs: hourMs, integer: index, decimals: index % 3 },
  }));
  await fillStores(root, all);
  const files = dataDirectory(root);
  readings = openReadingStore({ file: files.store('validated'), layer: 'validated' });
  aggregates = openAggregateStore({ file: files.store('aggregates') });
});

afterEach(() => {
  readings.close();
  aggregates.close();
  rmSync(root, { recursive: true });
});

const spans = fc.record({
  tenant: fc.constantFrom('default', 'other', 'nobody'),
  meter: fc.integer({ min: 0, max: meters }).map(meterName),
  channel: fc.constantFrom('import', 'import', 'export'),
  // Few of them, so that many are asked for the same; empty and reversed ones too.
  fromMs: fc.constantFrom(0, firstMs, firstMs + 5 * hourMs, firstMs + 3 * dayMs),
  toMs: fc.constantFrom(firstMs, firstMs + dayMs, firstMs + dayMs + hourMs, firstMs + 40 * dayMs),
});

test('what is asked for at once is answered as if it were asked for alone', async () => {
  const asked = fc.array(spans, { minLength: 2, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(asked, async (all) => {
      const days = all.map((each) => ({ ...each, layer: 'validated' as const }));
      const together = await Promise.all(days.map((each) => readings.read(each)));
      for (const [index, each] of days.entries()) {
        expect(together[index]).toEqual(await readings.read(each));
      }
      const sheets = all.map((each, index) => ({
        ...each,
        level: index % 3 === 0 ? ('month' as const) : ('day' as const),
      }));
      const batches = await Promise.all(sheets.map((each) => aggregates.read(each)));
      for (const [index, each] of sheets.entries()) {
        expect(batches[index]).toEqual(await aggregates.read(each));
      }
    }),
    { numRuns: 40 },
  );
});

test('a day whose bytes are damaged fails the read of its series, and no other that was asked for with it', async () => {
  const database = new DatabaseSync(dataDirectory(root).store('validated'));
  const damaged = meterName(1);
  database
    .prepare(`update days set segment = x'ff' where key / ${daysPerSeries} in (select id from series where meter = ?)`)
    .run(damaged);
  database.close();
  const all = Array.from({ length: meters }, (_, meter) => meterName(meter));
  const read = (meter: string): Promise<unknown> =>
    readings.read({
      ...{ tenant: 'default', meter, channel: 'import', layer: 'validated' },
      ...{ fromMs: firstMs, toMs: firstMs + 40 * dayMs },
    });
  const settled = await Promise.allSettled(all.map(read));
  expect(settled.flatMap(({ status }, index) => (status === 'rejected' ? [all[index]] : []))).toEqual([damaged]);
});

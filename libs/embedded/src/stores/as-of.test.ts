import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder, missingCode, rawVersion, ReadingRow, type Layer, type ReadingBatch } from '@meterflow/readings';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openReadingStore, type EmbeddedReadingStore } from './reading-store.ts';

const quarterMs = 900_000;
const startMs = 86_400_000;

let folder: string;
let stores: Readonly<Record<Layer, EmbeddedReadingStore>>;
/** Each has a meter, and its sources, of its own. */
let runs = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'as-of-'));
  const raw = openReadingStore({ file: join(folder, 'raw.db'), layer: 'raw' });
  const originsOfRaw: EmbeddedReadingStore['origins'] = (days) => raw.origins(days);
  stores = {
    raw,
    validated: openReadingStore({ file: join(folder, 'validated.db'), layer: 'validated', originsOfRaw }),
  };
});
afterAll(() => {
  stores.raw.close();
  stores.validated.close();
  rmSync(folder, { recursive: true });
});

/** A source of one reading under a declared version; null withdraws it. */
interface Came {
  readonly declared: number;
  readonly value: number | null;
  /** Of a computed one. */
  readonly ticket?: number;
}

function batchOf(came: Came | readonly Came[], layer: Layer, acceptedAtMs: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(`m${runs}`, 'import');
  row.unit = builder.text('kWh');
  row.startMs = startMs;
  row.lengthMs = quarterMs;
  [came].flat().forEach(({ declared, value, ticket = 0 }, index) => {
    row.version = builder.version({ ...rawVersion(declared, acceptedAtMs), ticket });
    row.quality = value === null ? missingCode : 0;
    row.integer = value ?? 0;
    row.line = 2 + index;
    builder.append(row);
  });
  const sourceId = `${runs} ${acceptedAtMs}`;
  const header = { tenant: 'acme', layer, sourceId, acceptedAtMs, activation: 0 };
  const cause = { sourceId, key: keyOf(acceptedAtMs), part: 0, parts: 1 };
  return builder.finish(layer === 'raw' ? header : { ...header, cause });
}

function keyOf(acceptedAtMs: number): string {
  return `${runs}`.padEnd(28, 'f') + String(acceptedAtMs).padStart(4, '0');
}

/** What was known at each instant; null where nothing was, or it was withdrawn. Accepted in their order, stored in another. */
async function known(layer: Layer, came: readonly Came[], stored: readonly number[]): Promise<(number | null)[]> {
  for (const each of layer === 'raw' ? (['raw'] as const) : (['raw', 'validated'] as const)) {
    for (const index of stored) {
      await stores[each].write([{ key: keyOf(index + 1), batch: batchOf(came[index] as Came, each, index + 1) }]);
    }
  }
  return knownUpTo(layer, came.length);
}

async function knownUpTo(layer: Layer, lastMs: number): Promise<(number | null)[]> {
  const series = { tenant: 'acme', meter: `m${runs}`, channel: 'import', layer };
  const values: (number | null)[] = [];
  for (let instantMs = 0; instantMs <= lastMs; instantMs++) {
    const [segment] = await stores[layer].asOf(
      { ...series, fromMs: startMs, toMs: startMs + quarterMs },
      { instantMs },
    );
    const value = segment?.columns.values[0];
    values.push(value === undefined || value === 0 ? null : value * 10 ** -(segment?.columns.decimals ?? 0));
  }
  return values;
}

/** The latest version that had come counts, of several values under it the greatest. */
function expected(came: readonly Came[]): (number | null)[] {
  const values: (number | null)[] = [null];
  came.forEach((_, last) => {
    const best = came.slice(0, last + 1).reduce((a, b) => {
      const later = b.declared - a.declared || (b.value ?? 0) - (a.value ?? 0);
      return later > 0 ? b : a;
    });
    values.push(best.value);
  });
  return values;
}

test.each(['raw', 'validated'] as const)(
  'law: of %s readings is told what had come, also under versions that came twice',
  async (layer) => {
    const each = fc.record({ declared: fc.integer({ min: 1, max: 3 }), value: fc.constantFrom(null, 1, 2, 3) });
    const cases = fc
      .uniqueArray(each, { selector: ({ declared, value }) => `${declared} ${value}`, minLength: 1, maxLength: 7 })
      .chain((came) =>
        fc.tuple(
          fc.constant(came),
          fc.shuffledSubarray([...came.keys()], { minLength: came.length, maxLength: came.length }),
        ),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ([came, stored]) => {
        runs += 1;
        expect(await known(layer, came, stored)).toEqual(expected(came));
      }),
      { numRuns: 60 },
    );
  },
);

test('a value that came again under its version was known since it first came', async () => {
  const [one, other] = [
    { declared: 3, value: 1 },
    { declared: 3, value: 2 },
  ];
  for (const layer of ['raw', 'validated'] as const) {
    runs += 1;
    const came = [one, one, other, other, one];
    expect(await known(layer, came, [...came.keys()])).toEqual([null, 1, 1, 2, 2, 2]);
  }
});

test('of several values that one source brings under one version, none was known before it came', async () => {
  for (const values of [
    [1, 2],
    [2, 1],
    [2, 1, 2],
  ]) {
    runs += 1;
    const came = values.map((value) => ({ declared: 3, value }));
    await stores.raw.write([{ key: keyOf(2), batch: batchOf(came, 'raw', 2) }]);
    await stores.raw.write([{ key: keyOf(4), batch: batchOf({ declared: 3, value: 2 }, 'raw', 4) }]);
    expect(await knownUpTo('raw', 4)).toEqual([null, null, 2, 2, 2]);
  }
});

test('what is computed under tickets was known since its reading came, in whichever order and for whatever cause', async () => {
  const came = { declared: 3, value: 1 };
  for (const order of [
    [5, 6],
    [6, 5],
  ]) {
    runs += 1;
    await stores.raw.write([{ key: keyOf(2), batch: batchOf(came, 'raw', 2) }]);
    for (const ticket of order) {
      // Whoever has the lower ticket runs for the reading, the other for a neighbour that came later.
      const batch = batchOf({ ...came, value: ticket, ticket }, 'validated', ticket === 5 ? 2 : 3);
      await stores.validated.write([{ key: keyOf(ticket), batch }]);
    }
    expect(await knownUpTo('validated', 3)).toEqual([null, null, 6, 6]);
  }
});

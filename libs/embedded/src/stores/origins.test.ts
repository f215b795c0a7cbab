import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineOf } from '@meterflow/idempotent-writes';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openReadingStore, type EmbeddedReadingStore } from './reading-store.ts';

let folder: string;
let store: EmbeddedReadingStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'origins-'));
  store = openReadingStore({ file: join(folder, 'raw.db'), layer: 'raw' });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const minuteMs = 60_000;
const span = { fromMs: 0, toMs: 10 * 86_400_000 } as const;

interface Line {
  readonly meter: number;
  readonly minute: number;
  readonly line: number;
}

function batchOf(lines: readonly Line[], sourceId: string, acceptedAtMs: number): ReadingBatch {
  const builder = new BatchBuilder(Math.max(1, lines.length));
  const row = new ReadingRow();
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, acceptedAtMs));
  row.lengthMs = minuteMs;
  lines.forEach(({ meter, minute, line }) => {
    row.series = builder.series(`m${meter}`, 'import');
    row.startMs = minute * minuteMs;
    row.line = line;
    builder.append(row);
  });
  return builder.finish({ tenant: 'acme', layer: 'raw', sourceId, acceptedAtMs, activation: 0 });
}

async function linesOf(meter: number, minute: number): Promise<unknown[]> {
  const origins = await store.origins({ tenant: 'acme', meter: `m${meter}`, channel: 'import', layer: 'raw', ...span });
  return origins.flatMap((origin) => {
    const line = lineOf(origin, { startMs: minute * minuteMs, lengthMs: minuteMs });
    return line === undefined ? [] : [[origin.sourceId, line]];
  });
}

const batches = fc.array(
  fc.uniqueArray(fc.record({ meter: fc.nat(3), minute: fc.nat(5_000) }), {
    selector: ({ meter, minute }) => `${meter} ${minute}`,
    maxLength: 60,
  }),
  { maxLength: 5 },
);

test('law: every reading of every batch is found in the line that it stood in, and in no other', async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.boolean(), async (all, isSorted) => {
      const tried = openReadingStore({ file: join(folder, `${Math.trunc(performance.now() * 1e3)}.db`), layer: 'raw' });
      store.close();
      store = tried;
      const expected = new Map<string, unknown[]>();
      for (const [index, places] of all.entries()) {
        const ordered = isSorted ? [...places].sort((a, b) => a.meter - b.meter || a.minute - b.minute) : places;
        const lines = ordered.map((place, at) => ({ ...place, line: 2 + at * 3 }));
        lines.forEach(({ meter, minute, line }) => {
          const key = `${meter} ${minute}`;
          expected.set(key, [...(expected.get(key) ?? []), [`s${index}.1`, line]]);
        });
        await tried.write([{ key: `${index}`.padStart(32, '0'), batch: batchOf(lines, `s${index}.1`, index + 1) }]);
      }
      for (const [key, lines] of expected) {
        const [meter, minute] = key.split(' ').map(Number) as [number, number];
        expect(await linesOf(meter, minute)).toEqual(lines);
      }
    }),
    { numRuns: 40 },
  );
});

test('a batch that is written again is told once', async () => {
  const write = { key: '1'.padStart(32, '0'), batch: batchOf([{ meter: 1, minute: 5, line: 7 }], 's.1', 1) };
  await store.write([write]);
  await store.write([write]);
  expect(await linesOf(1, 5)).toEqual([['s.1', 7]]);
});

test('what is erased leaves no lines behind', async () => {
  await store.write([{ key: '1'.padStart(32, '0'), batch: batchOf([{ meter: 1, minute: 5, line: 7 }], 's.1', 1) }]);
  await store.erase({ tenant: 'acme', series: { meter: 'm1' }, upTo: 10 });
  expect(await linesOf(1, 5)).toEqual([]);
});

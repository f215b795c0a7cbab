import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import { BatchBuilder, missingCode, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import { silentTelemetry } from '@meterflow/stage';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainReading, type ExplainPorts } from './explain-reading.ts';
import { changedReadings, readingsWithin } from './window-readings.ts';

const quarterMs = 900_000;
const series = { tenant: 'acme', channel: 'import', startMs: 86_400_000, lengthMs: quarterMs };

let root: string;
let platform: EmbeddedPlatform;
/** Each has a meter, and its sources, of its own. */
let runs = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'bringers-'));
  platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
});
afterAll(async () => {
  await platform.close();
  rmSync(root, { recursive: true });
});

/** A reading under a declared version (0: none); null withdraws it. */
interface Brought {
  readonly declared: number;
  readonly value: number | null;
}

/** One line each, or several of one source. */
type Source = readonly Brought[];

function batchOf(lines: Source, number: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(`m${runs}`, series.channel);
  row.unit = builder.text('kWh');
  row.lengthMs = quarterMs;
  lines.forEach(({ declared, value }, index) => {
    row.startMs = series.startMs;
    row.version = builder.version(rawVersion(declared, number + 1));
    row.quality = value === null ? missingCode : 0;
    row.integer = value ?? 0;
    row.line = 2 + index;
    builder.append(row);
  });
  const header = { tenant: 'acme', layer: 'raw', acceptedAtMs: number + 1, activation: 0 } as const;
  return builder.finish({ ...header, sourceId: `${runs} s${number}` });
}

/** Each version's value, and which lines of which sources brought it, newest first; `together` are stored at once. */
async function explained(sources: readonly Source[], together = 1): Promise<[number | string | null, ...string[]][]> {
  runs += 1;
  const store = platform.readings('raw');
  for (let from = 0; from < sources.length; from += together) {
    const some = sources.slice(from, from + together);
    await store.write(
      some.map((lines, index) => ({
        key: `${runs}`.padEnd(31, 'f') + String(from + index),
        batch: batchOf(lines, from + index),
      })),
    );
  }
  const nothing = { read: () => Promise.resolve([]), history: () => Promise.resolve([]) };
  const ports = {
    readings: (layer: string) => (layer === 'raw' ? store : nothing),
    history: (layer: string) => (layer === 'raw' ? store : nothing),
    sources: { receipt: () => Promise.resolve(undefined) },
  } as unknown as ExplainPorts;
  const told = await explainReading(ports, { ...series, meter: `m${runs}` });
  return (told?.versions ?? []).map(({ value, origins = [] }) => [
    value,
    ...origins.map(({ source, line }) => `${source.split(' ')[1]}:${line}`),
  ]);
}

test('a value that comes late under a version that was withdrawn has its own line, and so has the one before', async () => {
  const sources = [[{ declared: 3, value: 15 }], [{ declared: 4, value: null }], [{ declared: 3, value: 95 }]];
  expect(await explained(sources)).toEqual([
    [null, 's1:2'],
    ['15', 's0:2'],
    ['95', 's2:2'],
  ]);
});

test('a window tells what stood before it was withdrawn, and not what came late under that version', async () => {
  await explained([[{ declared: 3, value: 95 }], [{ declared: 4, value: null }], [{ declared: 3, value: 15 }]]);
  const span = { fromMs: series.startMs, toMs: series.startMs + quarterMs };
  const place = { tenant: 'acme', meter: `m${runs}`, channel: series.channel, ...span, parts: [span] };
  const store = platform.readings('raw');
  const ports = { readings: () => store, history: () => store } as unknown as ExplainPorts;
  const raw = await readingsWithin(ports, place, 'raw');
  expect(await changedReadings(ports, place, { raw, validated: raw })).toMatchObject([{ value: null, was: '95' }]);
});

test('of two values under one version each has its lines, whichever came first, also of one file', async () => {
  const [low, high] = [
    { declared: 3, value: 15 },
    { declared: 3, value: 95 },
  ];
  expect(await explained([[low], [low], [high], [high]])).toEqual([
    ['95', 's2:2', 's3:2'],
    ['15', 's0:2', 's1:2'],
  ]);
  expect(await explained([[high], [low], [high]])).toEqual([
    ['95', 's0:2', 's2:2'],
    ['15', 's1:2'],
  ]);
  expect(await explained([[low, high]])).toEqual([
    ['95', 's0:3'],
    ['15', 's0:2'],
  ]);
  expect(await explained([[high, low]])).toEqual([
    ['95', 's0:2'],
    ['15', 's0:3'],
  ]);
});

test('law: every line is told of one version, which has the value that it brought, however they were stored', async () => {
  const line = fc.record({ declared: fc.integer({ min: 1, max: 3 }), value: fc.constantFrom(null, 1, 2, 3) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 1, max: 4 }),
      async (all, together) => {
        const told = await explained(
          all.map((each) => [each]),
          together,
        );
        const lines = told.flatMap(([value, ...of]) => of.map((text) => [text, value] as const));
        const came = all.map(({ value }, index) => [`s${index}:2`, value === null ? null : String(value)] as const);
        expect([...lines].sort()).toEqual([...came].sort());
      },
    ),
    { numRuns: 150 },
  );
});

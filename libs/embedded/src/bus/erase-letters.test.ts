import { decodeReadingBatch, encodeReadingBatch, messageAttributes } from '@meterflow/contracts';
import { BatchBuilder, ReadingRow, rawVersion, type ReadingBatch } from '@meterflow/readings';
import type { DeadLetter } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TemporaryBus } from '../testing/temporary-bus.ts';
import { openDeadLetters, type DeadLetters } from './dead-letters.ts';

let temporary: TemporaryBus;
let letters: DeadLetters;

beforeEach(() => {
  temporary = new TemporaryBus();
  letters = openDeadLetters(temporary);
});

afterEach(async () => {
  letters.close();
  await temporary.remove();
});

function batchOf(meters: readonly string[], acceptedAtMs: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  meters.forEach((meter, index) => {
    row.series = builder.series(meter, 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, acceptedAtMs));
    row.startMs = 1_800_000 * index;
    row.lengthMs = 1_800_000;
    row.integer = 100 + index;
    row.decimals = 3;
    row.line = 2 + index * 3;
    builder.append(row);
  });
  return builder.finish({ tenant: 'acme', layer: 'raw', sourceId: 's.1', acceptedAtMs, activation: 1 });
}

function letterOf(id: string, batch: ReadingBatch): DeadLetter {
  return {
    ...{ id, state: 'dead', stage: 'rule-execution', subscription: 's', key: id, tenant: batch.tenant, atMs: 9_000 },
    ...{ reasonCode: 'halted', reason: `halted by ${batch.series[0]?.meter ?? ''}`, layers: ['validated'] },
    payload: encodeReadingBatch(batch),
    attributes: messageAttributes('ReadingBatch', batch.tenant),
    causes: [{ sourceId: 's.1', key: id, part: 0, parts: 1 }],
  };
}

const erasure = { tenant: 'acme', upToMs: 5_000, ticket: 9 };
const m1 = { ...erasure, series: { meter: 'm1' } };

test('of a tenant purges its payloads and reasons, and no others', async () => {
  await letters.put([
    letterOf('a', batchOf(['m1'], 1_000)),
    { ...letterOf('b', batchOf(['m1'], 1_000)), tenant: 'other' },
  ]);
  expect(await letters.found(erasure)).toBe(1);
  expect(await letters.erase(erasure)).toEqual({ purged: 1, reduced: 0 });
  expect(await letters.found(erasure)).toBe(0);
  expect(await letters.show('a')).toBeUndefined();
  expect(await letters.show('b')).toBeDefined();
  expect(await letters.list({ limit: 9, tenant: 'acme' })).toMatchObject([{ state: 'purged', reason: '' }]);
});

test('of a meter leaves the other readings of a batch, each in its line, and the batch as the ledger knows it', async () => {
  const batch = batchOf(['m1', 'm2', 'm1', 'm3'], 1_000);
  await letters.put([
    letterOf('a', batch),
    letterOf('b', batchOf(['m1'], 1_000)),
    letterOf('c', batchOf(['m2'], 1_000)),
  ]);
  expect(await letters.erase(m1)).toEqual({ purged: 1, reduced: 1 });
  const left = decodeReadingBatch((await letters.show('a'))?.payload ?? new Uint8Array());
  expect(left.series.map(({ meter }) => meter)).toEqual(['m2', 'm3']);
  expect([...left.columns.values]).toEqual([101, 103]);
  expect([...left.columns.spans.startMs]).toEqual([1_800_000, 5_400_000]);
  expect([left.firstLine, [...left.lineDeltas.values]]).toEqual([5, [0, 6]]);
  expect(left.cause).toMatchObject({ sourceId: 's.1', part: 0, parts: 1 });
  expect(await letters.found(m1)).toBe(0);
});

test('what is put later about what was erased loses it too; what was accepted later stays', async () => {
  await letters.erase(m1);
  const later = openDeadLetters(temporary);
  await later.put([letterOf('old', batchOf(['m1', 'm2'], 5_000)), letterOf('new', batchOf(['m1', 'm2'], 5_001))]);
  const metersOf = async (id: string): Promise<string[]> =>
    decodeReadingBatch((await later.show(id))?.payload ?? new Uint8Array()).series.map(({ meter }) => meter);
  expect(await metersOf('old')).toEqual(['m2']);
  expect(await metersOf('new')).toEqual(['m1', 'm2']);
  later.close();
});

test('what can not be read goes with what is there, and stays when it comes later', async () => {
  const unreadable = { ...letterOf('a', batchOf(['m2'], 1_000)), payload: new Uint8Array([1, 2, 3]) };
  await letters.put([unreadable]);
  expect(await letters.erase(m1)).toEqual({ purged: 1, reduced: 0 });
  await letters.put([{ ...unreadable, id: 'b' }]);
  expect(await letters.show('b')).toBeDefined();
});

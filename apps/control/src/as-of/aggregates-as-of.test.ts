import { aggregateFacts, dayMs, SheetCursor } from '@meterflow/aggregates';
import { readingColumns } from '@meterflow/aggregates/testing';
import { SeriesRegistry } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import { expect, test } from 'vitest';
import { aggregatesAsOf, type AsOfPorts } from './aggregates-as-of.ts';

const hourMs = 3_600_000;

test('what must not be billed is told by the codes that are registered, as of what is stored', async () => {
  const series = new SeriesRegistry({ registry: new MemoryRegistry(), nowMs: () => 0, cacheMs: -1 });
  await series.setDefault('acme', { notBillableCodes: ['F17'] });
  const reading = { lengthMs: hourMs, integer: 1, decimals: 0, quality: 'measured', unit: 'kWh' } as const;
  const readings = ['F17', 'A', 'F17'].map((code, hour) => ({ ...reading, code, startMs: hour * hourMs }));
  const history = () => ({ asOf: () => Promise.resolve([{ day: 0, columns: readingColumns(readings) }]) });
  const ports = { series, history, nowMs: () => 0, readingsRetentionMs: 10 * dayMs } as unknown as AsOfPorts;
  const asked = { tenant: 'acme', meter: 'm', channel: 'import', level: 'day', fromMs: 0, toMs: dayMs } as const;
  const cursor = new SheetCursor(await aggregatesAsOf(ports, { instantMs: 0 }).read(asked));
  cursor.next();
  expect(aggregateFacts(cursor, cursor.rowsTo - 1)).toMatchObject({ notBillable: 2 });
});

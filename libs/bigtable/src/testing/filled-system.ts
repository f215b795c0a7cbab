import { aggregateWrite, writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs, type PlainReading } from '@meterflow/readings/testing';
import { deadLetter } from '@meterflow/stage/testing';
import type { BigtableStores } from '../open-stores.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A little of everything that the tables hold: cells of each kind, sheets, ledger, dead letter, registry, counter. */
export async function fillSystem(stores: BigtableStores): Promise<void> {
  const readings = ['m1', 'm2'].flatMap((meter) => Array.from({ length: 48 }, (_, hour) => reading(meter, hour)));
  for (const layer of ['raw', 'validated'] as const) {
    await stores.readings(layer).write([writeOf({ acceptedAtMs: 1_000, readings }, { layer, tenant: 'acme' })]);
  }
  const ticket = await stores.tickets.take('acme');
  await stores.aggregates.write([
    aggregateWrite({ ticket, sheets: [{ startMs: epochMs, endMs: epochMs + dayMs, sums: { 0: 100, 23: 7 } }] }),
  ]);
  await stores.deadLetters.put([deadLetter(1)]);
  await stores.registry.put('setting', 'acme/x', { value: { x: 1 }, expectedRevision: 0 });
}

/** Corrections of its first day, and what was corrected kept as history: cells of every kind. */
export async function correctAndCompact(stores: BigtableStores): Promise<void> {
  const corrected = Array.from({ length: 12 }, (_, hour) => ({ ...reading('m1', hour), integer: 500 + hour }));
  const raw = stores.readings('raw');
  await raw.write([writeOf({ acceptedAtMs: 2_000, readings: corrected }, { layer: 'raw', tenant: 'acme' })]);
  await raw.compact({ fromMs: epochMs, closedBeforeMs: epochMs + dayMs, acceptedBeforeMs: 3_000 });
}

function reading(meter: string, hour: number): PlainReading {
  return {
    ...{ meter, channel: 'import', startMs: epochMs + hour * hourMs, lengthMs: hourMs, integer: 7 + hour, decimals: 1 },
    ...{ quality: 0, unit: 'kWh', reason: '', declared: 0 },
  };
}

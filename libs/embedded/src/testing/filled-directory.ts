import { wholeWindow } from '@meterflow/aggregates';
import { aggregateWrite, writeOf } from '@meterflow/idempotent-writes/testing';
import { epochMs, hourMs, type PlainReading } from '@meterflow/readings/testing';
import { deadLetter } from '@meterflow/stage/testing';
import type { EmbeddedPlatform } from '../open-platform.ts';
import { declareTopology } from './declare-topology.ts';
import { receiveNow } from './temporary-bus.ts';

const dayMs = 24 * hourMs;
const tenant = 'acme';
const hours = 6;
const acceptedAtMs = epochMs + 2 * dayMs;
/** So long that no build that is asked finds the mark expired. */
const doneTtlMs = 1_000 * 365 * dayMs;

/** What was put into the directory beside what its canonical export shows. */
export const filled = {
  tenant,
  topic: 't',
  subscription: 's',
  settled: Uint8Array.of(1, 2, 3),
  /** The message that nobody has received. */
  waiting: { payload: Uint8Array.of(4, 5, 6), attributes: { tenant } },
  doneKey: 's/0/settled',
  correctedHours: 3,
  setting: { key: 'acme/x', value: { x: 1 } },
} as const;

/** A little of everything that a data directory holds. */
export async function fillDirectory(platform: EmbeddedPlatform): Promise<void> {
  await fillBus(platform);
  await fillSource(platform);
  await platform.deadLetters.put([deadLetter(1)]);
  await platform.registry.put('setting', filled.setting.key, { value: filled.setting.value, expectedRevision: 0 });
}

/** One message that was settled and its key marked done, and one that waits. */
async function fillBus(platform: EmbeddedPlatform): Promise<void> {
  const { topic, subscription, settled, waiting, doneKey } = filled;
  await declareTopology(platform.directory.root, { topics: [topic], subscriptions: [subscription] });
  await platform.publisher.publish([{ topic, payload: settled, attributes: {} }]);
  const source = platform.source(subscription);
  await source.ack(await receiveNow(source));
  await platform.deduper(subscription).done([doneKey], { owner: 'filler', doneTtlMs });
  await platform.publisher.publish([{ topic, ...waiting }]);
}

/** One delivery of some hours of two meters: raw, validated, and what is aggregated of them; then a correction. */
async function fillSource(platform: EmbeddedPlatform): Promise<void> {
  const { sources, tickets, aggregates } = platform;
  const { sourceId } = await sources.accept({
    ...{ tenant, kind: 'file', identity: 'may', contentHash: 'a'.repeat(64), label: 'may.csv', mapping: 'plain@1' },
    ...{ sourceVersion: 0, activation: 1, nowMs: acceptedAtMs, readingsPerBatch: 2_000, startsFromMs: 0 },
    intervalLengths: '',
  });
  await sources.reject(sourceId, [{ line: 3, column: 'value', code: 'no-value', reason: 'is empty', text: 'm1,,' }]);
  const plain = ['m1', 'm2'].flatMap((meter) => Array.from({ length: hours }, (_, hour) => readingAt(meter, hour)));
  const accepted = writeOf({ acceptedAtMs, readings: plain }, { layer: 'raw', tenant, sourceId });
  await platform.readings('raw').write([accepted]);
  const cause = { sourceId, key: accepted.key, part: 0, parts: 1 };
  const validated = { layer: 'validated', tenant, sourceId, cause } as const;
  await platform.readings('validated').write([writeOf({ acceptedAtMs, readings: plain }, validated)]);
  for (const [level, days, sums] of [
    ['day', 1, { 0: 100, 23: 7, [wholeWindow]: 107 }],
    ['month', 31, { [wholeWindow]: 107 }],
  ] as const) {
    const sheets = [{ startMs: epochMs, endMs: epochMs + days * dayMs, sums }];
    const ticket = await tickets.take(tenant);
    await aggregates.write([aggregateWrite({ tenant, level, ticket, sheets, causes: [cause] })]);
  }
  await sources.close(sourceId, { batches: 1, received: 13, accepted: 12, rejected: 1, atMs: acceptedAtMs + 1_000 });
  const corrected = Array.from({ length: filled.correctedHours }, (_, hour) => ({
    ...readingAt('m1', hour),
    integer: 500 + hour,
  }));
  await platform
    .readings('raw')
    .write([writeOf({ acceptedAtMs: acceptedAtMs + 5_000, readings: corrected }, { layer: 'raw', tenant })]);
}

function readingAt(meter: string, hour: number): PlainReading {
  return {
    ...{ meter, channel: 'import', startMs: epochMs + hour * hourMs, lengthMs: hourMs, integer: 7 + hour, decimals: 1 },
    ...{ quality: 0, unit: 'kWh', reason: '', declared: 0 },
  };
}

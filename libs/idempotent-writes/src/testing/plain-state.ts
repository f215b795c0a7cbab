import {
  canonicalReading,
  missingCode,
  powersOfTen,
  ReadingCursor,
  type CanonicalReading,
  type Layer,
  type ReadingBatch,
} from '@meterflow/readings';
import { batchHeader, batchOf, type PlainReading } from '@meterflow/readings/testing';
import fc from 'fast-check';
import type { ReadingStore, ReadingWrite } from '../reading-store.ts';

/** Readings of one acceptance, as they come to a store in one batch or several. */
export interface PlainBatch {
  readonly acceptedAtMs: number;
  readonly readings: readonly PlainReading[];
}

let keys = 0;

/** A key that no other write of this run has. */
export function freshKey(): string {
  keys += 1;
  return keys.toString(16).padStart(32, '0');
}

/** A write of plain readings, of a source of its own unless told otherwise. All must fit one batch. */
export function writeOf({ acceptedAtMs, readings }: PlainBatch, header: Partial<ReadingBatch> = {}): ReadingWrite {
  const key = freshKey();
  return { key, batch: batchOf(readings, { ...batchHeader, acceptedAtMs, sourceId: `source-${key}`, ...header }) };
}

/** The same, readings that can't share decimals in batches of their own. */
export function writesOf({ acceptedAtMs, readings }: PlainBatch): ReadingWrite[] {
  try {
    return [writeOf({ acceptedAtMs, readings })];
  } catch {
    return readings.map((reading) => writeOf({ acceptedAtMs, readings: [reading] }));
  }
}

/** What is left of plain readings, worked out one by one: the reference that stores are held against. */
export function expectedState(batches: readonly PlainBatch[]): Map<string, string> {
  const latest = new Map<string, Standing>();
  for (const { acceptedAtMs, readings } of batches) {
    for (const reading of readings) {
      const identity = identityOf(reading);
      const incoming = standingOf(reading, acceptedAtMs);
      const standing = latest.get(identity);
      if (standing === undefined || isGreater(incoming, standing)) {
        latest.set(identity, incoming);
      }
    }
  }
  return new Map([...latest].map(([identity, { text }]) => [identity, text]));
}

interface Standing {
  readonly order: readonly (bigint | string)[];
  readonly text: string;
}

function identityOf({ meter, channel, startMs, lengthMs }: PlainReading): string {
  return `${meter} ${channel} ${startMs} ${lengthMs}`;
}

function standingOf(reading: PlainReading, acceptedAtMs: number): Standing {
  const { declared, quality, unit, reason, integer, decimals } = reading;
  const value = quality === missingCode ? 0n : BigInt(integer) * BigInt(powersOfTen[9 - decimals] as number);
  const accepted = declared === 0 ? acceptedAtMs : 0;
  return {
    order: [BigInt(declared), BigInt(accepted), value, BigInt(quality), unit, reason],
    text: `${quality === missingCode ? null : value} ${quality} ${unit} ${reason} ${declared} ${accepted}`,
  };
}

function isGreater(a: Standing, b: Standing): boolean {
  const differs = a.order.findIndex((part, index) => part !== b.order[index]);
  return differs >= 0 && (a.order[differs] as bigint) > (b.order[differs] as bigint);
}

/** The stored state in the same form. Checks on the way that segments are sorted and hold each identity once. */
export async function storedState(store: ReadingStore, batches: readonly PlainBatch[]): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  const all = batches.flatMap(({ readings }) => readings);
  const series = new Set(all.map(({ meter, channel }) => `${meter} ${channel}`));
  for (const name of series) {
    const [meter, channel] = name.split(' ') as [string, string];
    const range = { tenant: batchHeader.tenant, meter, channel, layer: 'raw' as const, fromMs: 0, toMs: farMs };
    let last = { startMs: -1, lengthMs: -1 };
    for (const { columns } of await store.read(range)) {
      const cursor = new ReadingCursor(columns);
      while (cursor.next()) {
        const { startMs, lengthMs, integer, qualityCode, unit, reason, versionIndex } = cursor;
        if (startMs < last.startMs || (startMs === last.startMs && lengthMs <= last.lengthMs)) {
          throw new Error(`readings out of order: ${startMs}+${lengthMs} after ${last.startMs}+${last.lengthMs}`);
        }
        last = { startMs, lengthMs };
        const value = BigInt(integer) * BigInt(powersOfTen[9 - columns.decimals] as number);
        const { declared, acceptedAtMs } = columns.versions;
        state.set(
          `${meter} ${channel} ${startMs} ${lengthMs}`,
          `${qualityCode === missingCode ? null : value} ${qualityCode} ${unit} ${reason} ${declared[versionIndex]} ${acceptedAtMs[versionIndex]}`,
        );
      }
    }
  }
  return state;
}

export const farMs = Date.UTC(2600, 0, 1);

/** One series as canonical rows, by start and length. */
export async function canonicalRows(
  store: ReadingStore,
  series: { readonly meter: string; readonly channel: string; readonly layer?: Layer },
  span: { readonly fromMs: number; readonly toMs: number } = { fromMs: 0, toMs: farMs },
): Promise<CanonicalReading[]> {
  const name = { layer: 'raw' as const, ...series };
  const segments = await store.read({ tenant: batchHeader.tenant, ...name, ...span });
  return segments.flatMap(({ columns }) => {
    const cursor = new ReadingCursor(columns);
    const rows: CanonicalReading[] = [];
    while (cursor.next()) {
      rows.push(canonicalReading(batchHeader.tenant, name, cursor));
    }
    return rows;
  });
}

/** Batches whose readings meet often: few series and slots, few versions and values. `reading` makes one. */
export function plainBatches(reading: fc.Arbitrary<PlainReading>): fc.Arbitrary<PlainBatch[]> {
  return fc.array(
    fc.record({
      acceptedAtMs: fc.constantFrom(1_000, 2_000, 3_000),
      readings: fc.array(reading, { minLength: 1, maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
}

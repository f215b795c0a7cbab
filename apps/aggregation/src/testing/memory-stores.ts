import { AggregateBatchBuilder, SheetCursor, type AggregateBatch } from '@meterflow/aggregates';
import {
  noOutcomes,
  type AggregateStore,
  type ReadingStore,
  type Segment,
  type Tickets,
} from '@meterflow/idempotent-writes';
import { BatchBuilder, rawVersion, ReadingRow, type SeriesName } from '@meterflow/readings';
import type { ClosedDaysRegistry } from '@meterflow/registry';

const dayMs = 86_400_000;

/** What the ports were asked for, in order. */
export type Calls = string[];

export function countingTickets(calls: Calls): Tickets {
  const last = new Map<string, number>();
  return {
    take: (tenant) => {
      const ticket = (last.get(tenant) ?? 0) + 1;
      last.set(tenant, ticket);
      calls.push(`ticket ${tenant}`);
      return Promise.resolve(ticket);
    },
  };
}

/** No day of any tenant. */
export const nothingClosed: Pick<ClosedDaysRegistry, 'of'> = { of: () => Promise.resolve(undefined) };

/** A series' reading every `lengthMs` since 1970, its value the number of the interval: whatever span is asked for. */
export function countingReadings(calls: Calls, lengthMs: number): ReadingStore {
  return {
    write: () => Promise.reject(new Error('nothing is written here')),
    read: ({ tenant, meter, channel, layer, fromMs, toMs }) => {
      calls.push(`read ${tenant} ${meter} ${layer} ${fromMs / 3_600_000} ${toMs / 3_600_000}`);
      const days = Math.ceil(toMs / dayMs) - Math.floor(fromMs / dayMs);
      return Promise.resolve(
        Array.from({ length: days }, (_, index) =>
          daySegment(Math.floor(fromMs / dayMs) + index, { meter, channel }, lengthMs),
        ),
      );
    },
    firstMs: () => Promise.resolve(0),
  };
}

function daySegment(day: number, { meter, channel }: SeriesName, lengthMs: number): Segment {
  const builder = new BatchBuilder(dayMs / lengthMs);
  const row = new ReadingRow();
  row.series = builder.series(meter, channel);
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(1, 0));
  row.lengthMs = lengthMs;
  for (row.startMs = day * dayMs; row.startMs < (day + 1) * dayMs; row.startMs += lengthMs) {
    row.integer = row.startMs / lengthMs;
    builder.append(row);
  }
  const header = { tenant: 'any', layer: 'validated', sourceId: 's', acceptedAtMs: 1, activation: 1 } as const;
  return { day, columns: builder.finish(header).columns };
}

/** Keeps each sheet of the highest ticket, one for each half of a UTC day, or each millisecond, that windows start in. */
export class MemoryAggregates implements AggregateStore {
  readonly calls: Calls;
  readonly #placeMs: number;
  readonly #sheets = new Map<string, { ticket: number; cursor: SheetCursor }>();

  constructor(calls: Calls, placeMs = dayMs / 2) {
    this.calls = calls;
    this.#placeMs = placeMs;
  }

  put(batch: AggregateBatch): void {
    for (let cursor = new SheetCursor(batch), sheet = 0; cursor.next(); sheet++) {
      const path = `${batch.tenant} ${cursor.series.meter} ${batch.level} ${Math.floor(cursor.startMs / this.#placeMs)}`;
      if ((this.#sheets.get(path)?.ticket ?? 0) < batch.ticket) {
        const kept = new SheetCursor(batch);
        for (let skipped = 0; skipped <= sheet; skipped++) {
          kept.next();
        }
        this.#sheets.set(path, { ticket: batch.ticket, cursor: kept });
      }
    }
  }

  write: AggregateStore['write'] = (writes) => {
    writes.forEach(({ batch }) => {
      this.put(batch);
    });
    return Promise.resolve(writes.map(() => noOutcomes));
  };

  read: AggregateStore['read'] = ({ tenant, meter, level, fromMs, toMs }) => {
    this.calls.push(`sheets ${tenant} ${meter} ${level}`);
    const builder = new AggregateBatchBuilder();
    for (const [path, { cursor }] of this.#sheets) {
      if (path.startsWith(`${tenant} ${meter} ${level} `) && cursor.startMs >= fromMs && cursor.startMs < toMs) {
        builder.copy(cursor);
      }
    }
    return Promise.resolve(builder.finish({ tenant, level, ticket: 0, causes: [] }));
  };
}

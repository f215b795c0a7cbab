import type { Erasure } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import type { StoredRow } from '../wire/read-rows.ts';
import { anyOf, inQualifiers, newestOnly, chain, type RowFilter } from '../wire/row-filter.ts';
import type { RowChange, RowTable } from '../client/table.ts';
import { meterKey, tenantKey } from './series-key.ts';

interface TenantSeries {
  readonly tenant: string;
  readonly series: readonly SeriesName[];
}

/** Stands for all channels of a meter; no channel has this name. */
const wholeMeter = Buffer.of(0);
const wholeTenant = Buffer.from('all');
/** The newest erasure of anything of the tenant: whatever is newer needs no further look. */
const newest = Buffer.from('newest');
const mark = Buffer.of(1);

/**
 * Tombstones are cells whose timestamp is what they hold: writing one again, or an older one after it, changes nothing.
 * They stand in rows of their own beside the rows that they are about, and a reader reads both at once.
 */
export class Tombstones {
  readonly family: string;
  /** Passes the tombstones of the rows that hold them. */
  readonly filter: RowFilter;

  constructor(family: string) {
    this.family = family;
    this.filter = chain(inQualifiers({ family }), newestOnly);
  }

  /** Passes tombstones, and of the other rows what `filter` passes. */
  beside(filter: RowFilter): RowFilter {
    return anyOf(this.filter, filter);
  }

  /** The rows that hold what was erased of a meter. */
  keys(tenant: string, meter: string): readonly [Buffer, Buffer] {
    return [tenantKey(tenant), meterKey(tenant, meter)];
  }

  /** What is at or below this was erased of the tenant as a whole, and of anything of it; -1 for nothing. */
  ofTenant(row: StoredRow): { readonly all: number; readonly newest: number } {
    const all = this.#cell(row, wholeTenant);
    return { all, newest: Math.max(all, this.#cell(row, newest)) };
  }

  /** The same for a channel, as its meter's row says. */
  ofChannel(row: StoredRow, channel: string): number {
    return Math.max(this.#cell(row, wholeMeter), this.#cell(row, Buffer.from(channel)));
  }

  /** By the index of a series: what is at or below this was erased of it, the tenant's own tombstone apart. */
  async ofSeries(table: RowTable, { tenant, series }: TenantSeries): Promise<(index: number) => number> {
    const keys = series.map(({ meter }) => meterKey(tenant, meter));
    const rows = await table.read({ keys, filter: this.filter });
    const byKey = new Map(rows.map((row) => [row.key.toString('latin1'), row]));
    return (index) => {
      const row = byKey.get((keys[index] as Buffer).toString('latin1'));
      return row === undefined ? -1 : this.ofChannel(row, (series[index] as SeriesName).channel);
    };
  }

  /** Durable when it resolves; the tenant's row first, so that who finds nothing new there has missed nothing. */
  async put(table: RowTable, { tenant, series, upTo }: Erasure): Promise<void> {
    const micros = upTo * 1_000;
    const set = (qualifier: Uint8Array): RowChange['mutations'][number] => ({
      set: { family: this.family, qualifier, micros, value: mark },
    });
    await table.mutate([{ key: tenantKey(tenant), mutations: [set(series === undefined ? wholeTenant : newest)] }]);
    if (series !== undefined) {
      const qualifier = series.channel === undefined ? wholeMeter : Buffer.from(series.channel);
      await table.mutate([{ key: meterKey(tenant, series.meter), mutations: [set(qualifier)] }]);
    }
  }

  #cell({ cells }: StoredRow, qualifier: Buffer): number {
    let upTo = -1;
    for (const cell of cells) {
      if (cell.family === this.family && cell.qualifier.equals(qualifier)) {
        upTo = Math.max(upTo, cell.micros / 1_000);
      }
    }
    return upTo;
  }
}

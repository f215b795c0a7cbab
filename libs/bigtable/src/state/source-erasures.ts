import type { Reject, SourceErasure } from '@meterflow/receipts';
import { blanked, lineTellsOf } from '@meterflow/receipts';
import type { Table } from '../client/table.ts';
import { hashedKey } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import { chain, inQualifiers, newestOnly } from '../wire/row-filter.ts';

const family = tables.sources.tombstones;
const filter = chain(inQualifiers({ family }), newestOnly);
const meterMark = 'm\0';

/**
 * Whose texts were erased, so that lines of the same sources that come later are blanked too: a row of the tenant, whose
 * columns name a meter ('' for all), and whose timestamps are the instants: they only grow.
 */
export class SourceErasures {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Durable when it resolves; an older one after a newer changes nothing. */
  async put({ tenant, meter = '', upToMs }: SourceErasure): Promise<void> {
    const set = { family, qualifier: Buffer.from(meterMark + meter), micros: upToMs * 1_000, value: Buffer.of(1) };
    await this.#table.mutate([{ key: hashedKey('erased', tenant), mutations: [{ set }] }]);
  }

  /** The meters whose texts were erased from sources that were accepted at this instant; '' for all. */
  async meters(tenant: string, acceptedAtMs: number): Promise<readonly string[]> {
    const { cells } = await this.#table.readRow(hashedKey('erased', tenant), filter);
    return cells
      .filter(({ micros }) => micros / 1_000 >= acceptedAtMs)
      .map(({ qualifier }) => qualifier.toString().slice(meterMark.length));
  }
}

/** The line as it may be kept. */
export function withoutMeters(line: Reject, meters: readonly string[]): Reject {
  return meters.some((meter) => lineTellsOf(line, meter)) ? blanked(line) : line;
}

import type { Closing } from '@meterflow/receipts';
import type { Clock } from '@meterflow/stage';
import type { Table } from '../client/table.ts';
import { hashedKey } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import { chain, inQualifiers, inTime, withoutValues } from '../wire/row-filter.ts';

const family = tables.sources.entries;
const dayMs = 86_400_000;
/** Older cells change no more: clocks of the processes and calls under way differ by less. */
const settledMs = 120_000;
const daysKnownMax = 1_000;

interface Known {
  /** Of cells before `untilMicros`. */
  readonly sum: number;
  readonly untilMicros: number;
}

/** What a tenant's closings of a day accepted: a cell for each source. What is settled is read once by each process. */
export class AcceptedByDay {
  readonly #table: Table;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #known = new Map<string, Known>();

  constructor(table: Table, clock: Pick<Clock, 'nowMs'>) {
    this.#table = table;
    this.#clock = clock;
  }

  /** A source counts once, however often it is closed. */
  async add(tenant: string, sourceId: string, { accepted, atMs }: Closing): Promise<void> {
    const qualifier = Buffer.from(sourceId);
    const value = Buffer.alloc(8);
    value.writeDoubleBE(accepted);
    const column = inQualifiers({ family, from: qualifier, to: Buffer.concat([qualifier, Buffer.of(0)]) });
    await this.#table.check({
      key: keyOf(tenant, atMs),
      predicate: chain(column, withoutValues),
      whenFalse: [{ set: { family, qualifier, micros: this.#clock.nowMs() * 1_000, value } }],
    });
  }

  async on(tenant: string, atMs: number): Promise<number> {
    const key = keyOf(tenant, atMs);
    const name = key.toString('latin1');
    const known = this.#known.get(name) ?? { sum: 0, untilMicros: 1_000 };
    const filter = chain(inQualifiers({ family }), inTime(known.untilMicros, 0));
    const { cells } = await this.#table.readRow(key, filter);
    const untilMicros = Math.max(known.untilMicros, (this.#clock.nowMs() - settledMs) * 1_000);
    let { sum } = known;
    let open = 0;
    for (const { micros, value } of cells) {
      const accepted = value.readDoubleBE();
      sum += micros < untilMicros ? accepted : 0;
      open += micros < untilMicros ? 0 : accepted;
    }
    if (this.#known.size >= daysKnownMax) {
      this.#known.clear();
    }
    this.#known.set(name, { sum, untilMicros });
    return sum + open;
  }
}

function keyOf(tenant: string, atMs: number): Buffer {
  return hashedKey('day', tenant, String(Math.floor(atMs / dayMs)));
}

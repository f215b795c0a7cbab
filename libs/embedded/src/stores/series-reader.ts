import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SeriesName } from '@meterflow/readings';
import { wholeMeter } from './series-schema.ts';

/** A series of a store file. Ids are the file's own. */
export interface StoredSeries extends SeriesName {
  readonly id: number;
  readonly tenant: string;
}

/** Which series an enumeration visits: all, a tenant's, a meter's, or one. */
export interface SeriesFilter {
  readonly tenant?: string;
  readonly meter?: string;
  readonly channel?: string;
}

/** Series of one page; enumerations hold no read transaction between pages, so that writers go on. */
const pageRowsMax = 1_000;

const columns = 'series.id as id, tenants.name as tenant, meter, channel';

/** Finds and lists series, as last committed. */
export class SeriesReader {
  readonly #database: DatabaseSync;
  readonly #find: StatementSync;
  readonly #byId: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const joined = `select ${columns} from series join tenants on tenants.id = series.tenant`;
    // Answered by the indexes of the two tables alone, and as an array: a join with names costs half as much again.
    this.#find = database.prepare(
      `select id from series where tenant = (select id from tenants where name = ?) and meter = ? and channel = ?`,
    );
    this.#find.setReturnArrays(true);
    this.#byId = database.prepare(`${joined} where series.id = ?`);
  }

  find(tenant: string, meter: string, channel: string): StoredSeries | undefined {
    const found = this.#find.get(tenant, meter, channel) as unknown as [id: number] | undefined;
    return found === undefined ? undefined : { id: found[0], tenant, meter, channel };
  }

  byId(id: number): StoredSeries | undefined {
    return this.#byId.get(id) as unknown as StoredSeries | undefined;
  }

  /** By tenant, meter and channel, in the order of their UTF-8 bytes. */
  *list({ tenant, meter, channel }: SeriesFilter = {}): Generator<StoredSeries> {
    const named = this.#database.prepare('select id, name from tenants where name = coalesce(?, name) order by name');
    for (const { id, name } of named.all(tenant ?? null)) {
      yield* this.#listOf(Number(id), {
        tenant: String(name),
        ...(meter !== undefined && { meter }),
        ...(channel !== undefined && { channel }),
      });
    }
  }

  *#listOf(tenantId: number, { tenant = '', meter, channel }: SeriesFilter): Generator<StoredSeries> {
    const page = this.#database.prepare(
      `select id, meter, channel from series where tenant = :tenant and channel <> '${wholeMeter}' and (meter, channel) > (:afterMeter, :afterChannel)
       ${meter === undefined ? '' : 'and meter = :meter'} ${channel === undefined ? '' : 'and channel = :channel'}
       order by meter, channel limit ${pageRowsMax}`,
    );
    const parameters = {
      tenant: tenantId,
      afterMeter: '',
      afterChannel: '',
      ...(meter !== undefined && { meter }),
      ...(channel !== undefined && { channel }),
    };
    for (;;) {
      const rows = page.all(parameters) as unknown as Omit<StoredSeries, 'tenant'>[];
      for (const row of rows) {
        yield { ...row, tenant };
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageRowsMax) {
        return;
      }
      parameters.afterMeter = last.meter;
      parameters.afterChannel = last.channel;
    }
  }
}

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { SheetCursor, sumHighUnit, wholeWindow, type AggregateBatch } from '@meterflow/aggregates';
import type { Segment } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import type { Platform } from '@meterflow/service';

/** What is compared: values by when they start. */
type ByStart = ReadonlyMap<number, number>;

const channel = 'import';
const fromMs = 0;
const toMs = Date.UTC(2100, 0, 1);
const hourMs = 3_600_000;
/** Values as integers of so many decimals, exact in a float64. */
const scale = 1e6;

/**
 * Compares every reading of both layers and every hour's, day's and month's sum and count with DuckDB's own over the
 * file, after the peers' rule (kWh × 1000), read through the stores that the services wrote to. Tells what differs.
 */
export async function checkStores(
  file: string,
  stores: Pick<Platform, 'readings' | 'aggregates'>,
): Promise<readonly string[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run(`create table input as select distinct meter_id, epoch_ms(start) as start, value
      from read_csv('${file.replaceAll("'", "''")}', header = true, columns = {'meter_id': 'VARCHAR', 'channel': 'VARCHAR',
        'start': 'TIMESTAMP', 'value': 'DECIMAL(18, 6)', 'unit': 'VARCHAR'})`);
    const meters = (await connection.runAndReadAll('select distinct meter_id from input order by 1')).getRows();
    const told: string[] = [];
    for (const [meter] of meters) {
      told.push(...(await checkMeter(String(meter), stores, connection)));
    }
    return told;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function checkMeter(
  meter: string,
  stores: Pick<Platform, 'readings' | 'aggregates'>,
  connection: DuckDBConnection,
): Promise<string[]> {
  const expected = (expression: string, group = ''): Promise<ByStart> =>
    reference(connection, `select ${expression} from input where meter_id = '${meter}' ${group}`);
  const stored = async (layer: Layer): Promise<ByStart> =>
    valuesOf(await stores.readings(layer).read({ tenant: 'default', meter, channel, layer, fromMs, toMs }));
  const day = await stores.aggregates.read({ tenant: 'default', meter, channel, level: 'day', fromMs, toMs });
  const month = await stores.aggregates.read({ tenant: 'default', meter, channel, level: 'month', fromMs, toMs });
  const told: string[] = [];
  const compare = (what: string, found: ByStart, right: ByStart): void => {
    const wrong = [...right].find(([start, value]) => found.get(start) !== value);
    if (found.size !== right.size || wrong !== undefined) {
      told.push(`${what} of ${meter}: ${found.size}, not ${right.size}; first wrong: ${JSON.stringify(wrong)}`);
    }
  };
  compare('raw readings', await stored('raw'), await expected(`start, value * ${scale}`));
  compare('validated readings', await stored('validated'), await expected(`start, value * 1000 * ${scale}`));
  for (const [resolution, batch] of [
    ['hour', day],
    ['day', day],
    ['month', month],
  ] as const) {
    const start = `epoch_ms(date_trunc('${resolution}', make_timestamp(start * 1000)))`;
    const sums = await expected(`${start}, sum(value) * 1000 * ${scale}`, 'group by 1');
    const counts = await expected(`${start}, count(*)`, 'group by 1');
    const found = windowsOf(batch, resolution === 'hour');
    compare(`sums by ${resolution}`, found.sums, sums);
    compare(`counts by ${resolution}`, found.counts, counts);
  }
  return told;
}

/** Two columns as numbers. */
async function reference(connection: DuckDBConnection, sql: string): Promise<ByStart> {
  const [starts, values] = (
    await connection.runAndReadAll(`select a::double, b::double from (${sql}) as t(a, b)`)
  ).getColumns();
  return new Map((starts ?? []).map((start, row) => [Number(start), Number(values?.[row])]));
}

function valuesOf(segments: readonly Segment[]): ByStart {
  const found = new Map<number, number>();
  for (const { columns } of segments) {
    const { spans, values } = columns;
    const factor = scale / 10 ** columns.decimals;
    let reading = 0;
    spans.count.forEach((count, span) => {
      for (let slot = 0; slot < count; slot++) {
        const start = (spans.startMs[span] as number) + slot * (spans.stepMs[span] as number);
        found.set(start, (values[reading++] as number) * factor);
      }
    });
  }
  return found;
}

function windowsOf(batch: AggregateBatch, hourly: boolean): { readonly sums: ByStart; readonly counts: ByStart } {
  const sums = new Map<number, number>();
  const counts = new Map<number, number>();
  const { rows, decimals } = batch;
  const cursor = new SheetCursor(batch);
  while (cursor.next()) {
    for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
      const hour = rows.hour[row] as number;
      if ((hour !== wholeWindow) === hourly) {
        const start = cursor.startMs + (hourly ? hour * hourMs : 0);
        const sum = (rows.sumHigh[row] as number) * sumHighUnit + (rows.sumLow[row] as number);
        sums.set(start, (sum * scale) / 10 ** decimals);
        counts.set(start, rows.count[row] as number);
      }
    }
  }
  return { sums, counts };
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { sharedFolder } from '../repository.ts';
import type { ChangingZone } from './changing-zones.ts';

const file = join(sharedFolder, 'data/swiss-households/readings.csv.gz');
export const hasSwissReadings = existsSync(file);

const quarterMs = 900_000;
const foreverMs = 253_402_300_800_000;
/** The Tuesday in the middle of the set's seven weeks. */
const middle = '2012-11-20';

/**
 * Fills `source`, `series` and `lengths` with households of the Swiss set, shared out among the zones and moved by whole
 * weeks: half of them are about one change of their zone's clocks, half about the other. Of three in six the interval
 * length is registered.
 */
export async function swissSource(
  connection: DuckDBConnection,
  { zones, householdsMax }: { readonly zones: readonly ChangingZone[]; readonly householdsMax: number },
): Promise<void> {
  const rows = zones.flatMap(({ zone, changes }, place) =>
    changes.map((change, which) => `(${place}, ${which}, '${zone}', date '${change}')`),
  );
  await connection.run(`
    create table brought as
      select meter_id, epoch_ms(start) as start_ms, value
      from read_csv('${file}', header = true, columns = {meter_id: 'varchar', channel: 'varchar', start: 'timestamp',
        value: 'decimal(38, 9)', unit: 'varchar'});
    create table household as
      with numbered as (
        select meter_id, row_number() over (order by meter_id) - 1 as number from (select distinct meter_id from brought)
        qualify number < ${householdsMax})
      select meter_id, 'h' || meter_id as meter, zone, number // 3 % 2 = 0 as is_registered,
             round((change - date '${middle}') / 7)::bigint * 7 * 86400000 as moved_ms
      from numbered join (values ${rows.join(', ')}) as z(place, which, zone, change)
        on place = number % ${zones.length} and which = number // ${zones.length} % 2;
    insert into series select meter, zone from household;
    insert into lengths select meter, 0, ${foreverMs}, ${quarterMs} from household where is_registered;
    insert into source
      select meter, start_ms + moved_ms, ${quarterMs}, value, 'measured', 'M', 1, 0
      from brought join household using (meter_id);
    drop table brought;`);
}

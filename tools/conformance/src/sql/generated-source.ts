import type { DuckDBConnection } from '@duckdb/node-api';
import { changingZones } from './changing-zones.ts';

/** What is peculiar about a meter; there is one of each kind in each zone. */
export const kinds = [
  'whole',
  'gaps',
  'unregistered gaps',
  'unregistered lengths',
  'days of hours',
  'length changes',
  'corrections',
  'undeclared corrections',
  'sparse',
] as const;

const quarterMs = 900_000;
const versionsMax = 4;

/**
 * Fills `source`, `series` and `lengths`: two and more days on either side of both changes of each zone's clocks and some other
 * days of the year. What a reading says is drawn from the hash of its place, so that every run has the same.
 */
export async function generateSource(connection: DuckDBConnection): Promise<void> {
  const zones = changingZones.map(({ zone, changes }) => `('${zone}', date '${changes[0]}', date '${changes[1]}')`);
  const kindRows = kinds.map((kind, index) => `('${kind}', ${index})`);
  await connection.run(`
    create table meter as
      select 'm' || number || ' ' || kind as meter, zone, kind, change_a, change_b, number
      from (select *, row_number() over (order by zone) as number from (values ${zones.join(', ')}) as z(zone, change_a, change_b))
        cross join (values ${kindRows.join(', ')}) as k(kind, place);
    insert into series select meter, zone from meter;
    insert into lengths
      select meter, 0, 253402300800000, ${quarterMs} from meter
      where kind not like 'unregistered%' and kind <> 'length changes';
    insert into lengths
      select meter, unnest([0, turn_ms]), unnest([turn_ms, 253402300800000]), unnest([4 * ${quarterMs}, ${quarterMs}])
      from (select meter, epoch_ms(change_a::timestamp) + 43200000 as turn_ms from meter where kind = 'length changes');
    create table slot as
      with days as (
        select m.*, unnest(list_concat(
          generate_series(change_a::timestamp - interval 2 day, change_a::timestamp + interval 2 day, interval 1 day),
          generate_series(change_b::timestamp - interval 2 day, change_b::timestamp + interval 2 day, interval 1 day),
          [timestamp '2018-01-31', timestamp '2018-02-01', timestamp '2018-06-15', timestamp '2018-12-31', timestamp '2019-01-01'])) as day
        from meter m)
      select meter, kind, epoch_ms(day) + quarter * ${quarterMs} as start_ms, hash(meter, day, quarter) as drawn, hash(meter, day) as day_drawn
      from days cross join range(96) as q(quarter);
    ${lengthsOfSlots}
    ${rowsOfSlots}`);
}

/** Which readings there are: some slots have an hour or a half hour, alone or beside quarters. */
const lengthsOfSlots = `
  create table given as
    select meter, kind, start_ms, drawn, unnest(case
      when kind = 'whole' then [${quarterMs}]
      when kind = 'sparse' then case when day_drawn % 3 = 0 and drawn % 10 = 0 then [${quarterMs}] else [] end
      when kind = 'unregistered lengths' then case
        when start_ms % 3600000 = 0 and (day_drawn % 3 = 0 or drawn % 11 = 0) then [4 * ${quarterMs}]
        when start_ms % 1800000 = 0 and day_drawn % 3 = 1 then [2 * ${quarterMs}]
        when day_drawn % 3 = 2 then [${quarterMs}] else [] end
      when kind = 'days of hours' and day_drawn % 3 = 0 then
        case when start_ms % 3600000 = 0 then [4 * ${quarterMs}] else [] end
      when kind = 'length changes' then case
        when start_ms % 3600000 = 0 then [4 * ${quarterMs}, ${quarterMs}] else [${quarterMs}] end
      when drawn % 13 = 0 or day_drawn % 7 = 0 then []
      else [${quarterMs}] end) as length_ms
    from slot;`;

/**
 * Their versions, some of which take the reading back, and with which quality. Values have up to six decimals, some are
 * negative, and those of meters with gaps have fifteen digits, so that sums need more than a float.
 */
const rowsOfSlots = `
  insert into source
    with versions as (
      select *, unnest(case when kind like '%corrections' then range(1, 2 + ((drawn >> 8) % ${versionsMax})::bigint) else [1] end) as version
      from given),
    drawn as (select *, hash(meter, start_ms, length_ms, version) as chance from versions)
    select meter, start_ms, length_ms,
      case when kind like '%gaps' then (999999999000000 - chance % 1000000000)::decimal(38, 9) * 0.000001
           else ((chance % 1200000)::bigint - 100000)::decimal(38, 9) * (case chance % 4 when 0 then 0.1 when 1 then 0.001
             when 2 then 0.000001 else 1 end) end,
      q.quality, code,
      case when kind = 'undeclared corrections' then 0 else version end,
      case when kind = 'undeclared corrections' then version else 0 end
    from (select *, case when kind = 'whole' then 'M'
                         when kind like '%corrections' and (chance >> 4) % 9 = 0 then 'N'
                         else ['M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'M', 'E', 'S', 'X', 'C', 'N'][1 + (chance >> 16)::bigint % 23] end as code
          from drawn) join code_quality q using (code);
  -- Two values at one version: the greater one counts, whichever comes first.
  insert into source
    select meter, start_ms, length_ms, value + 0.5, quality, code, version, arrival from source
    where quality <> 'missing' and meter like '%corrections' and hash(start_ms, version) % 31 = 0;`;

import type { DuckDBConnection } from '@duckdb/node-api';

/**
 * What the aggregates of some readings must say, in SQL alone, by the definitions and by nothing of ours: a database with time
 * zones of its own, whose local day begins at the first quarter hour that shows its date.
 *
 * It reads the tables
 * - `source` (meter, start_ms, length_ms, value, quality, code, version, arrival): every row that was brought, in any order;
 *   `arrival` orders those without a version,
 * - `series` (meter, zone) and `lengths` (meter, from_ms, to_ms, length_ms): what is registered,
 * - `not_billable` (code),
 *
 * and makes `theirs`, a row for each hour in which a reading counts, and each local day, month and year that has one at all. All instants are in the years
 * [`fromYear`, `toYear`).
 */
export async function computeReference(
  connection: DuckDBConnection,
  { fromYear, toYear }: { readonly fromYear: number; readonly toYear: number },
): Promise<void> {
  await connection.run(macros);
  await connection.run(localDays(fromYear, toYear));
  await connection.run(readings);
  await connection.run(windows);
  await connection.run(expected);
  await connection.run(theirs);
}

const macros = `
  create macro grid_starts(length_ms, from_ms, to_ms) as
    case when from_ms < to_ms then (to_ms + length_ms - 1) // length_ms - (from_ms + length_ms - 1) // length_ms else 0 end;
  create macro half_even(dividend, divisor) as
    (abs(dividend) // divisor
      + case when 2 * (abs(dividend) % divisor) > divisor then 1
             when 2 * (abs(dividend) % divisor) = divisor then abs(dividend) // divisor % 2 else 0 end) * sign(dividend);`;

function localDays(fromYear: number, toYear: number): string {
  return `
    create table local_day as
      with instants as (
        select zone, unnest(generate_series(epoch_ms(timestamp '${fromYear}-01-01') - 2 * 86400000,
                                            epoch_ms(timestamp '${toYear}-01-01') + 2 * 86400000, 900000)) as at_ms
        from (select distinct zone from series))
      select *, lead(from_ms) over (partition by zone order by day) as to_ms
      from (select zone, timezone(zone, make_timestamptz(at_ms * 1000))::date as day, min(at_ms) as from_ms
            from instants group by all);
    create table span as
      select zone, 'day' as resolution, day as first_day, day as last_day, from_ms, to_ms from local_day
      union all
      select zone, word, min(day), max(day), min(from_ms), max(to_ms)
      from local_day cross join (values ('month'), ('year')) as resolutions(word)
      group by zone, word, date_trunc(word, day);`;
}

/** The latest of each reading, in its local day, with the length that is due when it starts. */
const readings = `
  create table latest as
    select distinct on (meter, start_ms, length_ms) meter, start_ms, length_ms, value, quality, code
    from source order by version desc, arrival desc, value desc;
  create table placed as
    select l.*, d.day, d.from_ms as day_from_ms, d.to_ms as day_to_ms,
           case when l.start_ms < r.to_ms then r.length_ms end as registered_ms
    from (select * from latest join series using (meter) where quality <> 'missing') l
      asof join local_day d on d.zone = l.zone and l.start_ms >= d.from_ms
      asof left join lengths r on r.meter = l.meter and l.start_ms >= r.from_ms;
  create table common as
    select meter, day, arg_max(length_ms, {'found': found, 'shorter': -length_ms}) as length_ms
    from (select meter, day, length_ms, count(*) as found from placed where registered_ms is null group by all)
    group by all;
  create table reading as
    select p.*, p.length_ms = coalesce(p.registered_ms, c.length_ms) as is_present
    from placed p left join common c using (meter, day);`;

const windows = `
  create table placement as
    select *, 'hour' as resolution, day as first_day, day as last_day,
           day_from_ms + (start_ms - day_from_ms) // 3600000 * 3600000 as from_ms,
           least(day_from_ms + (start_ms - day_from_ms) // 3600000 * 3600000 + 3600000, day_to_ms) as to_ms
    from reading
    union all by name
    select r.*, s.resolution, s.first_day, s.last_day, s.from_ms, s.to_ms
    from reading r join span s on s.zone = r.zone and s.first_day = case s.resolution
      when 'day' then r.day else date_trunc(s.resolution, r.day)::date end;
  create table counted as
    select meter, zone, resolution, first_day, last_day, from_ms, to_ms,
           sum(value) filter (is_present) as total, min(value) filter (is_present) as least,
           max(value) filter (is_present) as greatest,
           count(*) filter (is_present) as present, count(*) filter (not is_present) as surplus,
           count(*) filter (is_present and quality = 'estimated') as estimated,
           count(*) filter (is_present and quality = 'substituted') as substituted,
           count(*) filter (is_present and quality = 'calculated') as calculated,
           count(*) filter (is_present and (quality = 'estimated' or code in (from not_billable))) as unbilled
    from placement group by all having present > 0 or resolution <> 'hour';
  create table peak as
    select p.meter, p.resolution, p.from_ms, min(p.start_ms) as peak_ms
    from placement p join counted c using (meter, resolution, from_ms)
    where p.is_present and p.value = c.greatest group by all;`;

/** By the registered lengths; where there are none, by each day's most common one, or the one that most of the window's days have. */
const expected = `
  create table due as
    select w.meter, w.resolution, w.from_ms,
           sum(grid_starts(r.length_ms, greatest(w.from_ms, r.from_ms), least(w.to_ms, r.to_ms))) as expected
    from counted w join lengths r using (meter) group by all
    union all
    select w.meter, w.resolution, w.from_ms,
           sum(grid_starts(coalesce(c.length_ms, w.common_ms), greatest(w.from_ms, d.from_ms), least(w.to_ms, d.to_ms)))
    from (select v.meter, v.resolution, v.zone, v.from_ms, v.to_ms, v.common_ms,
                 unnest(generate_series(v.first_day, v.last_day, interval 1 day))::date as day
          from (select * exclude (found, length_ms), arg_max(length_ms, {'found': found, 'shorter': -length_ms}) as common_ms
                from (select w.meter, w.zone, w.resolution, w.first_day, w.last_day, w.from_ms, w.to_ms, c.length_ms, count(*) as found
                      from counted w join common c on c.meter = w.meter and c.day between w.first_day and w.last_day
                      group by all)
                group by all) v) w
      join local_day d using (zone, day) left join common c using (meter, day) group by all;`;

const theirs = `
  create table theirs as
    select w.meter, w.resolution, w.from_ms, w.to_ms, w.total::decimal(38, 9) as "sum", w.least::decimal(38, 9) as "min",
           w.greatest::decimal(38, 9) as "max",
           (half_even((w.total * 1000000000)::hugeint, w.present::hugeint) * 0.000000001)::decimal(38, 9) as mean,
           w.present as "count",
           case when w.present = 0 then 'missing'
                when w.calculated > 0 then 'calculated'
                when w.estimated + w.substituted > 0 or w.present < d.expected then 'estimated'
                else 'measured' end as quality,
           p.peak_ms, d.expected::bigint as expected, greatest(d.expected - w.present, 0)::bigint as missing, w.surplus,
           w.estimated, w.substituted, w.calculated, w.unbilled as not_billable
    from counted w join due d using (meter, resolution, from_ms) left join peak p using (meter, resolution, from_ms);`;

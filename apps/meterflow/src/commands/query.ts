import type { GlobalOptions, Output, Told } from '../cli-context.ts';
import { floatValue, shownValue } from '../client/exact-json.ts';
import { pages, queryString, type Row } from '../client/pages.ts';
import { askServer } from '../client/with-server.ts';
import { sparkline } from '../terminal/chart.ts';
import { table } from '../terminal/table.ts';

export interface SeriesOptions {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly from: string;
  readonly to: string;
}

export interface ReadingsOptions extends SeriesOptions {
  /** The readings as they came, before the rules. */
  readonly raw?: boolean;
}

export interface AggregatesOptions extends SeriesOptions {
  readonly resolution: string;
}

export async function queryReadings(options: ReadingsOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const { tenant, meter, channel, from, to, raw } = options;
  const path = `/v1/readings${queryString({ meter, channel, from, to, raw })}`;
  const rows = await allRows(globals, { tenant, path, rows: 'readings' });
  const columns = ['start', 'end', 'value', 'unit', 'quality', 'method', 'reason', 'version'];
  tell(rows, { series: options, columns, value: 'value' }, { globals, output });
}

export async function queryAggregates(
  options: AggregatesOptions,
  globals: GlobalOptions,
  output: Output,
): Promise<void> {
  const { tenant, meter, channel, from, to, resolution } = options;
  const path = `/v1/aggregates${queryString({ meter, channel, from, to, resolution })}`;
  const rows = await allRows(globals, { tenant, path, rows: 'aggregates' });
  const columns = ['start', 'end', 'sum', 'min', 'max', 'mean', 'count', 'unit', 'quality'];
  tell(rows, { series: options, columns, value: 'sum' }, { globals, output });
}

export async function queryMissing(options: SeriesOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const { tenant, meter, channel, from, to } = options;
  const path = `/v1/missing${queryString({ meter, channel, from, to })}`;
  const rows = await allRows(globals, { tenant, path, rows: 'days' });
  if (globals.json) {
    output.line(JSON.stringify(rows));
    return;
  }
  if (rows.length === 0) {
    output.note(`Nothing that is due is missing of meter ${meter}, channel ${channel}, from ${from} to ${to}.`);
    return;
  }
  const gaps = rows.flatMap((row) =>
    (row['gaps'] as readonly Row[]).map((gap) => [row['start'], gap['from'], gap['to'], gap['count']]),
  );
  output.line(
    table(
      ['day', 'from', 'to', 'missing'],
      gaps.map((cells) => cells.map(shownValue)),
    ),
  );
}

async function allRows(
  globals: GlobalOptions,
  query: { tenant: string; path: string; rows: string },
): Promise<readonly Row[]> {
  return askServer(globals, async ({ control }) => {
    const found: Row[] = [];
    for await (const page of pages(control, { ...query, role: 'operator', cursor: 'after' })) {
      found.push(...page);
    }
    return found;
  });
}

/** Rows as JSON; or, for a person, a table, and on a terminal a chart above it. */
function tell(
  rows: readonly Row[],
  shown: { readonly series: SeriesOptions; readonly columns: readonly string[]; readonly value: string },
  { globals, output }: Told,
): void {
  if (globals.json) {
    output.line(JSON.stringify(rows));
    return;
  }
  if (rows.length === 0) {
    const { tenant, meter, channel } = shown.series;
    output.note(
      `Meter ${meter} of tenant ${tenant} has nothing of channel ${channel} from ${shown.series.from} to ${shown.series.to}.\n` +
        'Which there are: meterflow sql "select distinct tenant, meter, channel from readings order by all"',
    );
    return;
  }
  if (output.terminal.isTTY) {
    const points = rows.map((row) => ({
      label: shownValue(row['start']).slice(0, 16),
      value: floatValue(row[shown.value]),
    }));
    output.note(`${sparkline(points)}\n`);
  }
  output.line(
    table(
      shown.columns,
      rows.map((row) => shown.columns.map((column) => shownValue(row[column]))),
    ),
  );
}

import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { CommandError, type GlobalOptions, type Output, type Told } from '../cli-context.ts';
import { floatValue, shownValue } from '../client/exact-json.ts';
import type { LocalClient } from '../client/local-client.ts';
import { pages, queryString, type Row } from '../client/pages.ts';
import { writeWholeFile } from '../client/whole-file.ts';
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

/** How rows are chosen and written. */
export interface TableOptions extends SeriesOptions {
  readonly zone?: string;
  readonly quality?: string;
  readonly asOf?: string;
  readonly format?: string;
  readonly out?: string;
}

export interface ReadingsOptions extends TableOptions {
  /** The readings as they came, before the rules. */
  readonly raw?: boolean;
}

export interface AggregatesOptions extends TableOptions {
  readonly resolution: string;
  readonly state?: string;
}

export const tableFormats = ['json', 'csv', 'parquet', 'arrow'] as const;

export async function queryReadings(options: ReadingsOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const columns = ['start', 'end', 'value', 'unit', 'quality', 'method', 'reason', 'version'];
  const shown = { series: options, columns, value: 'value' };
  await queryTable(
    options,
    { path: '/v1/readings', rows: 'readings', own: { raw: options.raw }, shown },
    { globals, output },
  );
}

export async function queryAggregates(
  options: AggregatesOptions,
  globals: GlobalOptions,
  output: Output,
): Promise<void> {
  const { resolution, state } = options;
  const columns = ['start', 'end', 'sum', 'min', 'max', 'mean', 'count', 'unit', 'quality'];
  const shown = { series: options, columns, value: 'sum' };
  const table = { path: '/v1/aggregates', rows: 'aggregates', own: { resolution, state }, shown };
  await queryTable(options, table, { globals, output });
}

interface TableAsked {
  readonly path: string;
  /** Where the rows stand in the answer's JSON. */
  readonly rows: string;
  /** Parameters of this table alone. */
  readonly own: Readonly<Record<string, string | boolean | undefined>>;
  readonly shown: Shown;
}

/** To the terminal, or as JSON; in another format, or to a file, as the server writes it. */
async function queryTable(options: TableOptions, asked: TableAsked, told: Told): Promise<void> {
  const { tenant, meter, channel, from, to, zone, quality, asOf, out } = options;
  const format = formatOf(options);
  const chosen = { meter, channel, from, to, zone, quality, asOf, ...asked.own };
  const { globals, output } = told;
  if (format === undefined || (format === 'json' && out === undefined)) {
    const rows = await allRows(globals, { tenant, path: `${asked.path}${queryString(chosen)}`, rows: asked.rows });
    tell(rows, asked.shown, format === undefined ? told : { globals: { ...globals, json: true }, output });
    return;
  }
  const path = `${asked.path}${queryString({ ...chosen, format })}`;
  if (out === undefined) {
    await askServer(globals, async ({ control }) => {
      for await (const line of control.textLines({ path, tenant, role: 'operator' })) {
        output.line(line);
      }
    });
    return;
  }
  const file = await askServer(globals, ({ control }) =>
    writeWholeFile(out, async () =>
      format === 'json'
        ? Readable.from(jsonRows(control, { path: `${asked.path}${queryString(chosen)}`, tenant, rows: asked.rows }))
        : control.stream({ path, tenant, role: 'operator' }),
    ),
  );
  if (globals.json) {
    output.line(JSON.stringify({ file }));
  } else {
    output.note(`The rows are in ${file}.`);
  }
}

/** As it is asked for, or as the file's name ends; undefined for the terminal's own. */
function formatOf({ format, out }: TableOptions): string | undefined {
  const ending = out === undefined ? '' : extname(out).slice(1);
  const chosen = format ?? (tableFormats.some((name) => name === ending) ? ending : undefined);
  if (out === undefined && (chosen === 'parquet' || chosen === 'arrow')) {
    throw new CommandError('nothing-chosen', `${chosen} is not for the terminal: name a file by --out`);
  }
  if (out !== undefined && chosen === undefined) {
    throw new CommandError('nothing-chosen', `${out} does not end in a format: name one by --format`);
  }
  return chosen;
}

/** All pages as one array, a row a line. */
async function* jsonRows(
  control: LocalClient,
  query: { readonly path: string; readonly tenant: string; readonly rows: string },
): AsyncGenerator<string> {
  let before = '[\n';
  for await (const page of pages(control, { ...query, role: 'operator', cursor: 'after' })) {
    for (const row of page) {
      yield before + JSON.stringify(row);
      before = ',\n';
    }
  }
  yield before === ',\n' ? '\n]\n' : '[]\n';
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

interface Shown {
  readonly series: SeriesOptions;
  readonly columns: readonly string[];
  readonly value: string;
}

/** Rows as JSON; or, for a person, a table, and on a terminal a chart above it. */
function tell(rows: readonly Row[], shown: Shown, { globals, output }: Told): void {
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

import { Option, type Command } from 'commander';
import type { Surroundings } from '../cli-context.ts';
import { editReading, type EditOptions } from '../commands/edit.ts';
import { explain, type ExplainOptions } from '../commands/explain.ts';
import { exportTo } from '../commands/export.ts';
import { importFiles, type ImportOptions } from '../commands/import.ts';
import {
  queryAggregates,
  queryMissing,
  queryReadings,
  tableFormats,
  type AggregatesOptions,
  type ReadingsOptions,
  type SeriesOptions,
} from '../commands/query.ts';
import { listLines, listSources, showSource } from '../commands/sources.ts';
import { sql } from '../commands/sql.ts';
import { instant, wholeNumber } from './arguments.ts';

/** Readings: in, out, and what became of them. */
export function addReadingCommands(program: Command, surroundings: Surroundings): void {
  const { globals, output } = surroundings;
  program
    .command('import')
    .description('bring files of readings through all stages, to the end')
    .argument('<files...>', 'CSV, NDJSON or JSON, plain, .gz or .zst; of a directory every such file')
    .option('--tenant <tenant>', 'whose readings they are', 'default')
    .option(
      '--mapping <name>',
      'how to read the columns; chosen by the header when not given (meterflow mappings list)',
    )
    .option('--source-version <number>', 'declares a version for all readings of the files', wholeNumber)
    .addHelpText(
      'after',
      `
Prints a receipt for each file. A file that comes once more is all duplicates. Run it again after it was interrupted: it
goes on where it stopped.

Examples:
  meterflow import readings.csv
  meterflow import march/ april.ndjson.gz --tenant acme --json`,
    )
    .action(async (files: string[], options: Omit<ImportOptions, 'files'>) => {
      await importFiles({ ...options, files }, globals(), output);
    });
  addEdit(program, surroundings);
  addQueries(program, surroundings);
  addExplain(program, surroundings);
  program
    .command('sql')
    .description('one SELECT over the views readings, readings_raw and aggregates')
    .argument('<statement>', 'DuckDB SQL')
    .addHelpText(
      'after',
      `
readings, readings_raw: tenant, meter, channel, start, end, value, unit, quality, version
aggregates:             tenant, meter, channel, resolution, start, end, sum, min, max, mean, count, unit, quality,
                        peak_at, expected, missing, surplus, estimated, substituted, calculated, not_billable, ticket,
                        input_version, input_accepted_at, input_activation, state
Values are exact decimals. "end" is a word of SQL: quote it.

Example:
  meterflow sql "select meter, date_trunc('month', start) as month, sum(value) from readings group by all order by all"`,
    )
    .action(async (statement: string) => {
      await sql(statement, globals(), output);
    });
  program
    .command('export')
    .description('the canonical export: sorted NDJSON of the latest readings and aggregates')
    .requiredOption('--out <file>', 'is there only when it is whole')
    .addHelpText('after', '\nExample:\n  meterflow export --out export.ndjson')
    .action(async ({ out }: { out: string }) => {
      await exportTo(out, globals(), output);
    });
  addSources(program, surroundings);
}

function addEdit(program: Command, { globals, output }: Surroundings): void {
  // A container has nobody logged in.
  const author = [process.env['USER'], 'local'].find((name) => name !== undefined && name !== '');
  program
    .command('edit')
    .description('put a value of one’s own in the place of a reading, with a reason')
    .option('--tenant <tenant>', 'whose reading it is', 'default')
    .requiredOption('--meter <meter>', 'the meter')
    .option('--channel <channel>', 'which quantity of the meter', 'import')
    .requiredOption('--start <instant>', 'where the interval begins', instant)
    .option('--end <instant>', 'where it ends; needed where there is no reading yet, or of several lengths', instant)
    .requiredOption('--value <decimal>', 'the value; "none" takes the reading back')
    .option('--unit <unit>', 'needed where there is no reading yet')
    .requiredOption('--reason <text>', 'why: stands beside the reading and in the receipt')
    .option('--author <name>', 'who says so', author)
    .addHelpText(
      'after',
      `
The edit is a source with a receipt of its own, and its reading has the quality "substituted". It holds until the provider
brings a later version of the reading.

Example:
  meterflow edit --meter M1 --start 2024-01-01T00:15:00Z --value 1.25 --reason "read from a photograph"`,
    )
    .action(async (options: EditOptions) => {
      await editReading(options, globals(), output);
    });
}

function addQueries(program: Command, { globals, output }: Surroundings): void {
  const query = program.command('query').description('readings, aggregates or gaps of one series');
  const series = (command: Command): Command =>
    command
      .option('--tenant <tenant>', 'whose series it is', 'default')
      .requiredOption('--meter <meter>', 'the meter')
      .option('--channel <channel>', 'which quantity of the meter', 'import')
      .requiredOption('--from <instant>', 'first instant, like 2013-03-04T00:00:00Z, or a date', instant)
      .requiredOption('--to <instant>', 'first instant that is not in it any more', instant);
  const table = (command: Command): Command =>
    series(command)
      .option(
        '--zone <zone>',
        'whose clocks the answer shows, and whose dates are meant: Europe/Zurich; UTC unless given',
      )
      .option('--quality <qualities>', 'those of these qualities alone, parted by commas')
      .option('--as-of <instant>', 'as it was known at this instant', instant)
      .addOption(new Option('--format <format>', 'how it is written').choices(tableFormats))
      .option('--out <file>', 'where; its ending tells the format when --format does not');
  table(query.command('readings').description('the latest readings, in order'))
    .option('--raw', 'as they came, before the rules')
    .addHelpText(
      'after',
      `
Examples:
  meterflow query readings --meter M1 --from 2024-01-01 --to 2024-01-02
  meterflow query readings --meter M1 --from 2024-01-01 --to 2025-01-01 --out m1.parquet
  meterflow query readings --meter M1 --from 2024-01-01 --to 2024-01-02 --as-of 2024-01-03T12:00:00Z --zone Europe/Zurich`,
    )
    .action(async (options: ReadingsOptions) => {
      await queryReadings(options, globals(), output);
    });
  table(
    query
      .command('aggregates')
      .description('hours, local days, months or years, or windows of any length up to a day, in order'),
  )
    .option('--resolution <resolution>', 'how long each is: hour, day, month, year, or a length like 15m or 2h', 'day')
    .option('--state <states>', 'windows in these states alone, parted by commas: open, complete, final')
    .addHelpText(
      'after',
      '\nExample:\n  meterflow query aggregates --meter M1 --from 2024-01-01 --to 2025-01-01 --resolution month',
    )
    .action(async (options: AggregatesOptions) => {
      await queryAggregates(options, globals(), output);
    });
  series(query.command('missing').description('which intervals have no reading, by local day'))
    .addHelpText('after', '\nExample:\n  meterflow query missing --meter M1 --from 2024-01-01 --to 2024-02-01')
    .action(async (options: SeriesOptions) => {
      await queryMissing(options, globals(), output);
    });
}

function addExplain(program: Command, { globals, output }: Surroundings): void {
  program
    .command('explain')
    .description('why a reading or an aggregate is what it is: sources and lines, versions, rules, what is missing')
    .option('--tenant <tenant>', 'whose series it is', 'default')
    .requiredOption('--meter <meter>', 'the meter')
    .option('--channel <channel>', 'which quantity of the meter', 'import')
    .requiredOption('--at <instant>', 'an instant of its interval or window', instant)
    .addOption(
      new Option('--resolution <resolution>', 'a reading, or which window')
        .choices(['reading', 'hour', 'day', 'month'])
        .default('reading'),
    )
    .option('--after <next>', 'of a group’s window: goes on where the answer before ended')
    .addHelpText(
      'after',
      `
Examples:
  meterflow explain --meter M1 --at 2024-01-01T00:15:00Z
  meterflow explain --meter M1 --at 2024-01-01T12:00:00Z --resolution day --json`,
    )
    .action(async (options: ExplainOptions) => {
      await explain(options, globals(), output);
    });
}

function addSources(program: Command, { globals, output }: Surroundings): void {
  const told = (): { globals: ReturnType<typeof globals>; output: typeof output } => ({ globals: globals(), output });
  const sources = program.command('sources').description('receipts: what became of each file and request');
  const ofTenant = (command: Command): Command => command.option('--tenant <tenant>', 'whose source it is', 'default');
  ofTenant(sources.command('list').description('newest first'))
    .option('--limit <number>', 'at most so many', wholeNumber, 20)
    .addHelpText('after', '\nExample:\n  meterflow sources list --limit 5')
    .action(async (options: { tenant: string; limit: number }) => {
      await listSources(options, told());
    });
  ofTenant(sources.command('show').description('the receipt of one').argument('<id>', 'as the list has it'))
    .addHelpText('after', '\nExample:\n  meterflow sources show 4f0c9a1be27d33aa10.1')
    .action(async (id: string, options: { tenant: string }) => {
      await showSource(id, options, told());
    });
  ofTenant(sources.command('rejects').description('every line that was not taken, and why').argument('<id>'))
    .addHelpText('after', '\nExample:\n  meterflow sources rejects 4f0c9a1be27d33aa10.1')
    .action(async (id: string, options: { tenant: string }) => {
      await listLines(id, { ...options, list: 'rejects' }, told());
    });
  ofTenant(sources.command('remarks').description('repeated readings and gaps, by line').argument('<id>'))
    .addHelpText('after', '\nExample:\n  meterflow sources remarks 4f0c9a1be27d33aa10.1')
    .action(async (id: string, options: { tenant: string }) => {
      await listLines(id, { ...options, list: 'remarks' }, told());
    });
}

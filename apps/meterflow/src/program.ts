import { Command, InvalidArgumentError, Option } from 'commander';
import { globalOptions, type GlobalOptions, type Output, type RawGlobalOptions } from './cli-context.ts';
import { dev, type DevOptions } from './commands/dev.ts';
import { handleDeadLetters, listDeadLetters, showDeadLetter, type DeadLetterFilter } from './commands/dead-letters.ts';
import { importFiles, type ImportOptions } from './commands/import.ts';
import { queryAggregates, queryReadings, type AggregatesOptions, type ReadingsOptions } from './commands/query.ts';
import { exportTo } from './commands/export.ts';
import { replay, type ReplayOptions } from './commands/replay.ts';
import { sql } from './commands/sql.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { createKey, createTenant, listKeys, listTenants, revokeKey, rotateKey } from './commands/tenants-and-keys.ts';

export const portDefault = 8640;

/** The command line: what there is, with its options. Each command's work is in `commands/`. */
export function buildProgram(output: Output): Command {
  const program = new Command('meterflow')
    .description('The open reference pipeline for smart-meter readings.')
    .addOption(
      new Option('--data-dir <dir>', 'where all of it is kept').default('meterflow-data').env('METERFLOW_DATA_DIR'),
    )
    .option('--json', 'machine-readable output')
    .addOption(
      new Option('--log-level <level>', 'what is logged on standard error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn'),
    )
    .exitOverride()
    .showHelpAfterError('(meterflow help <command> shows what it takes)');
  const globals = (): GlobalOptions => globalOptions(program.opts<RawGlobalOptions>());

  addServers(program, { globals, output });
  program
    .command('import')
    .description('bring files of readings through all stages, to the end')
    .argument('<files...>', 'CSV, NDJSON or JSON, plain, .gz or .zst')
    .option('--tenant <tenant>', 'whose readings they are', 'default')
    .option('--mapping <name>', 'how to read the columns; chosen by the header when not given')
    .option('--source-version <number>', 'declares a version for all readings of the files', wholeNumber)
    .action(async (files: string[], options: Omit<ImportOptions, 'files'>) => {
      await importFiles({ ...options, files }, globals(), output);
    });

  addQueries(program, { globals, output });
  program
    .command('sql')
    .description('one SELECT over the views readings, readings_raw and aggregates')
    .argument('<statement>')
    .action(async (statement: string) => {
      await sql(statement, globals(), output);
    });

  program
    .command('export')
    .description('the canonical export: sorted NDJSON of the latest readings and aggregates')
    .requiredOption('--out <file>')
    .action(async ({ out }: { out: string }) => {
      await exportTo(out, globals(), output);
    });

  program
    .command('replay')
    .description('deliver to a subscription what was published since an instant once more')
    .requiredOption('--subscription <name>', 'as `meterflow status` lists them')
    .requiredOption('--from <instant>')
    .action(async (options: ReplayOptions) => {
      await replay(options, globals(), output);
    });

  addDeadLetters(program, { globals, output });
  addTenantsAndKeys(program, { globals, output });

  program
    .command('status')
    .description('what waits where, for how long, and what is dead')
    .action(async () => {
      await status(globals(), output);
    });

  return program;
}

interface Surroundings {
  readonly globals: () => GlobalOptions;
  readonly output: Output;
}

function addServers(program: Command, { globals, output }: Surroundings): void {
  program
    .command('dev')
    .description('run every stage on this machine, with HTTP, until Ctrl-C')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', port, portDefault)
    .action(async (options: DevOptions) => {
      await dev(options, globals(), output);
    });

  program
    .command('start')
    .description('import the bundled sample of real readings, show it, and stay up')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', port, portDefault)
    .action(async (options: DevOptions) => {
      await start(options, globals(), output);
    });
}

function addQueries(program: Command, { globals, output }: Surroundings): void {
  const query = program.command('query').description('readings or aggregates of one series');
  const series = (command: Command): Command =>
    command
      .option('--tenant <tenant>', 'whose series it is', 'default')
      .requiredOption('--meter <meter>')
      .option('--channel <channel>', 'which quantity of the meter', 'import')
      .requiredOption('--from <instant>', 'first instant, like 2013-03-04T00:00:00Z, or a date of UTC')
      .requiredOption('--to <instant>', 'first instant that is not in it any more');
  series(query.command('readings').description('the latest readings, in order'))
    .option('--raw', 'as they came, before the rules')
    .action(async (options: ReadingsOptions) => {
      await queryReadings(options, globals(), output);
    });
  series(query.command('aggregates').description('hours, local days or months, in order'))
    .addOption(new Option('--resolution <resolution>').choices(['hour', 'day', 'month']).default('day'))
    .action(async (options: AggregatesOptions) => {
      await queryAggregates(options, globals(), output);
    });
}

function addDeadLetters(program: Command, { globals, output }: Surroundings): void {
  const letters = program.command('dead-letters').description('what no retry of the stages could mend');
  const filtered = (command: Command): Command =>
    command
      .addOption(new Option('--state <state>').choices(['dead', 'parked', 'purged']))
      .option('--stage <stage>')
      .option('--tenant <tenant>')
      .option('--reason-code <code>');
  filtered(letters.command('list').description('newest first')).action(async (filter: DeadLetterFilter) => {
    await listDeadLetters(filter, globals(), output);
  });
  letters
    .command('show')
    .description('one with its reason and its original bytes')
    .argument('<id>')
    .action(async (id: string) => {
      await showDeadLetter(id, globals(), output);
    });
  for (const command of ['retry', 'purge'] as const) {
    const what = command === 'retry' ? 'send them to their stages once more' : 'drop them for good';
    filtered(letters.command(command).description(what))
      .argument('[ids...]')
      .option('--all', 'all that the other options choose')
      .action(async (ids: string[], { all, ...filter }: DeadLetterFilter & { all?: boolean }) => {
        await handleDeadLetters(
          command,
          { ids, filter, ...(all === undefined ? {} : { all }) },
          { globals: globals(), output },
        );
      });
  }
}

function addTenantsAndKeys(program: Command, { globals, output }: Surroundings): void {
  const told = (): { globals: GlobalOptions; output: Output } => ({ globals: globals(), output });
  const tenants = program.command('tenants').description('who owns readings');
  tenants.command('list').action(async () => {
    await listTenants(told());
  });
  tenants
    .command('create')
    .argument('<name>', 'a-z, 0-9 and inner dashes')
    .action(async (name: string) => {
      await createTenant(name, told());
    });
  const keys = program.command('keys').description('API keys of a tenant');
  const ofTenant = (command: Command): Command => command.option('--tenant <tenant>', 'whose key it is', 'default');
  ofTenant(keys.command('list')).action(async (options: { tenant: string }) => {
    await listKeys(options, told());
  });
  ofTenant(keys.command('create').description('a new key, shown this once'))
    .addOption(new Option('--role <role>').choices(['provider', 'customer', 'operator']).makeOptionMandatory())
    .option('--label <label>', 'what it is for', '')
    .action(async (options: { tenant: string; role: string; label: string }) => {
      await createKey(options, told());
    });
  ofTenant(keys.command('rotate').description('a new secret; the old one stays valid for a day'))
    .argument('<id>')
    .action(async (id: string, options: { tenant: string }) => {
      await rotateKey(id, options, told());
    });
  ofTenant(keys.command('revoke').description('end it at once'))
    .argument('<id>')
    .action(async (id: string, options: { tenant: string }) => {
      await revokeKey(id, options, told());
    });
}

function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) {
    throw new InvalidArgumentError('A port is a number up to 65535.');
  }
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number.');
  }
  return Number(text);
}

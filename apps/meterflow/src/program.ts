import { Command, InvalidArgumentError, Option } from 'commander';
import { globalOptions, type GlobalOptions, type Output, type RawGlobalOptions } from './cli-context.ts';
import { dev, type DevOptions } from './commands/dev.ts';
import { importFiles, type ImportOptions } from './commands/import.ts';

export const portDefault = 8640;

/** The command line: what there is, with its options. Each command's work is in `commands/`. */
export function buildProgram(output: Output): Command {
  const program = new Command('meterflow')
    .description('The open reference pipeline for smart-meter readings.')
    .addOption(new Option('--data-dir <dir>', 'where all of it is kept').default('meterflow-data').env('METERFLOW_DATA_DIR'))
    .option('--json', 'machine-readable output')
    .addOption(new Option('--log-level <level>', 'what is logged on standard error').choices(['debug', 'info', 'warn', 'error']).default('warn'))
    .exitOverride()
    .showHelpAfterError('(meterflow help <command> shows what it takes)');
  const globals = (): GlobalOptions => globalOptions(program.opts<RawGlobalOptions>());

  program
    .command('dev')
    .description('run every stage on this machine, with HTTP, until Ctrl-C')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', port, portDefault)
    .action(async (options: DevOptions) => {
      await dev(options, globals(), output);
    });

  program
    .command('import')
    .description('bring files of readings through all stages, to the end')
    .argument('<files...>', 'CSV, NDJSON or JSON, plain, .gz or .zst')
    .option('--tenant <tenant>', 'whose readings they are', 'default')
    .option('--mapping <name>', 'how to read the columns; chosen by the header when not given')
    .option('--source-version <number>', 'declares a version for all readings of the files', wholeNumber)
    .action(async (files: string[], options: ImportOptions) => {
      await importFiles(files, options, globals(), output);
    });

  return program;
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

import { Command, Option } from 'commander';
import { dataDirDefault, globalOptions, type Output, type RawGlobalOptions, type Surroundings } from './cli-context.ts';
import { addAccessCommands } from './command-line/access-commands.ts';
import { addCareCommands } from './command-line/care-commands.ts';
import { addPlanCommands } from './command-line/plan-commands.ts';
import { addReadingCommands } from './command-line/reading-commands.ts';
import { addRuleCommands } from './command-line/rule-commands.ts';
import { addServerCommands } from './command-line/server-commands.ts';
import { version } from './version.ts';

/** The command line: what there is, with its options. Each command's work is in `commands/`. */
export function buildProgram(output: Output, { json }: { readonly json: boolean } = { json: false }): Command {
  const program = new Command('meterflow')
    .description('The open reference pipeline for smart-meter readings.')
    .version(version, '--version', 'print the version')
    .addOption(
      new Option('--data-dir <dir>', 'where all of it is kept').default(dataDirDefault).env('METERFLOW_DATA_DIR'),
    )
    .option('--json', 'machine-readable output, errors too; docs/cli.md has the shapes')
    .addOption(
      new Option('--log-level <level>', 'what is logged on standard error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn'),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(json ? { writeErr: () => undefined } : {})
    .exitOverride()
    .showHelpAfterError('(meterflow help <command> shows what it takes)')
    .addHelpText('after', programHelp);
  const surroundings: Surroundings = { globals: () => globalOptions(program.opts<RawGlobalOptions>()), output };
  addServerCommands(program, surroundings);
  addReadingCommands(program, surroundings);
  addCareCommands(program, surroundings);
  addAccessCommands(program, surroundings);
  addRuleCommands(program, surroundings);
  addPlanCommands(program, surroundings);
  return program;
}

const programHelp = `
With a server on the data directory (meterflow dev) every command talks to it; without one it opens the directory itself.
Exits 0 when it is done, 1 when it could not be, 2 when the command line is wrong.

Examples:
  meterflow import readings.csv
  meterflow query aggregates --meter M1 --from 2024-01-01 --to 2024-02-01
  meterflow sql "select meter, sum(value) from readings group by meter"`;

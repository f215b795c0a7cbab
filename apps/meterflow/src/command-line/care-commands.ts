import { Option, type Command } from 'commander';
import type { Surroundings } from '../cli-context.ts';
import { handleDeadLetters, listDeadLetters, showDeadLetter, type DeadLetterFilter } from '../commands/dead-letters.ts';
import { erase, type EraseOptions } from '../commands/erase.ts';
import { recompute, type RecomputeOptions } from '../commands/recompute.ts';
import { replay, type ReplayOptions } from '../commands/replay.ts';
import { status } from '../commands/status.ts';
import { instant } from './arguments.ts';
import { addBackupCommands } from './backup-commands.ts';

/** What an operator does: look, mend, erase. */
export function addCareCommands(program: Command, surroundings: Surroundings): void {
  const { globals, output } = surroundings;
  program
    .command('status')
    .description('what waits where, for how long, and what is dead')
    .addHelpText('after', '\nExample:\n  meterflow status --json')
    .action(async () => {
      await status(globals(), output);
    });
  addDeadLetters(program, surroundings);
  program
    .command('replay')
    .description('deliver to a subscription what was published since an instant once more')
    .requiredOption('--subscription <name>', 'as `meterflow status` lists them')
    .requiredOption('--from <instant>', 'like 2024-03-04T00:00:00Z, or a date of UTC', instant)
    .addHelpText('after', '\nExample:\n  meterflow replay --subscription aggregation.bulk --from 2024-03-04T09:00:00Z')
    .action(async (options: ReplayOptions) => {
      await replay(options, globals(), output);
    });
  program
    .command('recompute')
    .description('compute aggregates anew from the readings that are stored, and the groups above them')
    .requiredOption('--tenant <tenant>', 'whose aggregates')
    .option('--meter <meter>', 'of this meter alone')
    .option('--channel <channel>', 'of this channel of the meter', 'import')
    .addHelpText(
      'after',
      `
Changes of settings, groups and calendars do that by themselves; after an update the changelog says where it is needed.

Example:
  meterflow recompute --tenant acme --meter M1`,
    )
    .action(async (options: RecomputeOptions) => {
      await recompute(options, { globals: globals(), output });
    });
  program
    .command('erase')
    .description('erase readings of a tenant, a meter or a channel for good, and prove it')
    .requiredOption('--tenant <tenant>', 'whose readings')
    .option('--meter <meter>', 'of this meter alone')
    .option('--channel <channel>', 'of this channel of the meter alone')
    .option('--yes', 'do it without asking')
    .addHelpText(
      'after',
      `
Raw and validated readings, their history, aggregates, rejected lines and file names in receipts, dead letters and parked
batches. A tombstone stays: no file, message or replay from before brings anything back. Looks again afterwards, and
exits 0 only when nothing is left.

Examples:
  meterflow erase --tenant acme --meter M1
  meterflow erase --tenant acme --yes --json`,
    )
    .action(async (options: EraseOptions, command: Command) => {
      if (options.channel !== undefined && options.meter === undefined) {
        command.error('error: --channel needs --meter: a channel is one of a meter');
      }
      await erase(options, { globals: globals(), output });
    });
  addBackupCommands(program, surroundings);
}

function addDeadLetters(program: Command, { globals, output }: Surroundings): void {
  const letters = program.command('dead-letters').description('what no retry of the stages could mend');
  const filtered = (command: Command): Command =>
    command
      .addOption(new Option('--state <state>', 'of this state').choices(['dead', 'parked', 'purged']))
      .option('--stage <stage>', 'of this stage')
      .option('--tenant <tenant>', 'of this tenant')
      .option('--reason-code <code>', 'for this reason');
  filtered(letters.command('list').description('newest first'))
    .addHelpText('after', '\nExample:\n  meterflow dead-letters list --state parked')
    .action(async (filter: DeadLetterFilter) => {
      await listDeadLetters(filter, globals(), output);
    });
  letters
    .command('show')
    .description('one with its reason and its original bytes')
    .argument('<id>', 'as the list has it')
    .addHelpText('after', '\nExample:\n  meterflow dead-letters show persistence-raw/acme/3f…')
    .action(async (id: string) => {
      await showDeadLetter(id, globals(), output);
    });
  for (const command of ['retry', 'purge'] as const) {
    const what = command === 'retry' ? 'send them to their stages once more' : 'drop them for good';
    filtered(letters.command(command).description(what))
      .argument('[ids...]', 'as the list has them')
      .option('--all', 'all that the other options choose')
      .option('--why <text>', 'kept in the audit trail')
      .addHelpText('after', `\nExample:\n  meterflow dead-letters ${command} --all --stage rule-execution`)
      .action(async (ids: string[], { all, why, ...filter }: DeadLetterFilter & { all?: boolean; why?: string }) => {
        const choice = { ids, filter, ...(all === undefined ? {} : { all }), ...(why === undefined ? {} : { why }) };
        await handleDeadLetters(command, choice, { globals: globals(), output });
      });
  }
}

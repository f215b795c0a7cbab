import type { Command } from 'commander';
import type { Surroundings } from '../cli-context.ts';
import { backupTo, restoreFrom, type RestoreOptions } from '../commands/backup.ts';

/** A data directory's second life. */
export function addBackupCommands(program: Command, { globals, output }: Surroundings): void {
  program
    .command('backup')
    .description('copy the data directory as it is at one instant, while its server goes on')
    .requiredOption('--out <folder>', 'empty, or not there yet')
    .addHelpText('after', '\nExample:\n  meterflow backup --out /backups/2026-03-04')
    .action(async ({ out }: { out: string }) => {
      await backupTo(out, globals(), output);
    });
  program
    .command('restore')
    .description('make the data directory of a backup; nothing that was erased comes back')
    .requiredOption('--from <folder>', 'the backup')
    .option(
      '--erasures-of <folder>',
      'a later backup, or the old data directory: what was erased since is erased again',
    )
    .addHelpText(
      'after',
      '\nExample:\n  meterflow restore --data-dir new --from /backups/2026-03-04 --erasures-of /backups/2026-03-05',
    )
    .action(async (options: RestoreOptions) => {
      await restoreFrom(options, globals(), output);
    });
}

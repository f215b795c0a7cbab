import { backupCommand } from './backup-command.ts';
import { commandOutput } from './command-output.ts';

process.exitCode = await backupCommand(process.argv.slice(2), process.env, commandOutput);

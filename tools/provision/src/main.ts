import { commandOutput } from './command-output.ts';
import { provisionCommand } from './provision-command.ts';

process.exitCode = await provisionCommand(process.argv.slice(2), process.env, commandOutput);

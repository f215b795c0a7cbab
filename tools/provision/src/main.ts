import { provisionCommand } from './provision-command.ts';

process.exitCode = await provisionCommand(process.argv.slice(2), process.env, {
  line: (text) => process.stdout.write(`${text}\n`),
  problem: (text) => process.stderr.write(`${text}\n`),
});

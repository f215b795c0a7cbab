import { Option, type Command } from 'commander';
import type { Surroundings } from '../cli-context.ts';
import { dev, platforms, type DevOptions, type ListenOptions } from '../commands/dev.ts';
import { start } from '../commands/start.ts';
import { port, portDefault } from './arguments.ts';

/** Servers: what stays up. */
export function addServerCommands(program: Command, { globals, output }: Surroundings): void {
  listening(program.command('dev').description('run every stage on this machine, with HTTP, until Ctrl-C'))
    .addOption(
      new Option(
        '--with <platform>',
        "what the stages stand on: the data directory's own files, or Google's emulators and Redis, in memory",
      )
        .choices(platforms)
        .default('embedded'),
    )
    .addHelpText('after', '\nExamples:\n  meterflow dev --port 9000\n  meterflow dev --with google-emulators')
    .action(async (options: DevOptions) => {
      await dev(options, globals(), output);
    });

  listening(program.command('start').description('import the bundled sample of real readings, show it, and stay up'))
    .addHelpText('after', '\nExample:\n  meterflow start')
    .action(async (options: ListenOptions) => {
      await start(options, globals(), output);
    });
}

function listening(command: Command): Command {
  return command
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', port, portDefault);
}

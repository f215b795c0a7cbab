import { buildProgram } from './program.ts';
import { processOutput, CommandError } from './cli-context.ts';
import { CommanderError } from 'commander';
import { RefusedError } from './client/local-client.ts';

const usageExit = 2;

try {
  await buildProgram(processOutput).parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** 0: done. 1: it could not be done; the message says what to do. 2: the command line is wrong. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : usageExit;
  }
  const known =
    error instanceof CommandError ||
    error instanceof RefusedError ||
    (error instanceof Error && error.name.endsWith('Error') && error.name !== 'TypeError');
  processOutput.note(
    `meterflow: ${known ? (error as Error).message : error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 1;
}

import { ConfigurationError } from '@meterflow/service';
import type { CommandOutput } from './command-output.ts';

/** What every command here does: resolves to its exit code; what it rejects with is told, and is 2 for nonsense, else 1. */
export async function runCommand(output: CommandOutput, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    output.problem(error instanceof Error ? error.message : String(error));
    return error instanceof ConfigurationError ? 2 : 1;
  }
}

/** Arguments that `parse` does not take are told with the usage. */
export function parsedOr<Values>(usage: string, parse: () => Values): Values {
  try {
    return parse();
  } catch (error) {
    throw new ConfigurationError(`${(error as Error).message}\n\n${usage}`);
  }
}

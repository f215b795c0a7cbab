import { DirectoryInUseError } from '@meterflow/embedded';
import { FatalError, TransientError } from '@meterflow/stage';
import { CommanderError } from 'commander';
import { CommandError, OutputError, type Output } from './cli-context.ts';
import { NoAnswerError, RefusedError } from './client/local-client.ts';
import { AddressError } from './server/start-server.ts';
import { ServiceStartError } from './server/service-process.ts';

/** The command line is wrong. */
const usageExit = 2;
/** It could not be done; the message says what to do. */
const failureExit = 1;
/** What a shell shows for SIGPIPE: whoever read the output has read enough. */
const outputClosedExit = 141;

/** Tells why a command ended, and returns its exit code. With `json` as one JSON object on standard error. */
export function reportError(
  error: unknown,
  output: Pick<Output, 'note'>,
  { json }: { readonly json: boolean },
): number {
  if (error instanceof CommanderError && error.exitCode === 0) {
    return 0;
  }
  if (error instanceof OutputError && error.closed) {
    return outputClosedExit;
  }
  const told = toldOf(error);
  if (json) {
    output.note(JSON.stringify({ error: told }));
  } else if (!(error instanceof CommanderError)) {
    // The parser of the command line has told its own, with the help beside.
    output.note(`meterflow: ${told.message}`);
  }
  return error instanceof CommanderError ? usageExit : failureExit;
}

function toldOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CommanderError) {
    return { code: 'usage', message: error.message.replace(/^error: /, '') };
  }
  if (error instanceof CommandError || error instanceof RefusedError) {
    return { code: error.code, message: error.message };
  }
  const known = knownErrors.find(({ type }) => error instanceof type);
  if (known !== undefined) {
    return { code: known.code, message: (error as Error).message };
  }
  return { code: 'internal-error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** What libraries throw with a message for the person in front of it; the more special first. */
const knownErrors = [
  { type: OutputError, code: 'not-written' },
  { type: DirectoryInUseError, code: 'directory-in-use' },
  { type: AddressError, code: 'address-taken' },
  { type: ServiceStartError, code: 'start-failed' },
  { type: NoAnswerError, code: 'no-answer' },
  { type: FatalError, code: 'data-directory' },
  { type: TransientError, code: 'data-directory' },
] as const;

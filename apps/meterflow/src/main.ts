import { OutputError, processOutput, watchOutput } from './cli-context.ts';
import { buildProgram } from './program.ts';
import { reportError } from './report-error.ts';

// Asked of the words themselves: what can't be parsed must be told in the wanted form too.
const json = process.argv.includes('--json');
const failed = (error: unknown): void => {
  process.exitCode = reportError(error, processOutput, { json });
};
watchOutput(failed);
try {
  await buildProgram(processOutput, { json }).parseAsync(process.argv);
} catch (error) {
  // Told already: it comes after the fact, when a line more was to be written.
  if (!(error instanceof OutputError)) {
    failed(error);
  }
}

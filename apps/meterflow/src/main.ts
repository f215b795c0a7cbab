import { processOutput } from './cli-context.ts';
import { buildProgram } from './program.ts';
import { reportError } from './report-error.ts';

// Asked of the words themselves: what can't be parsed must be told in the wanted form too.
const json = process.argv.includes('--json');
try {
  await buildProgram(processOutput, { json }).parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error, processOutput, { json });
}

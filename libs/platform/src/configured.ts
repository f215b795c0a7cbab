import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigurationError, declaredBy, type ConfiguredProcess, type PlatformFile } from '@meterflow/service';

/** Exit code of a process that was told something that does not fit. */
const notConfigured = 2;

const readText = (path: string): string => readFileSync(path, 'utf8');

/**
 * How the main.ts of a service begins: parses what the process is told. Where it does not fit, says every problem and
 * ends with 2; with `--validate` it ends in any case, with 0 where all fits, and nothing was opened.
 */
export function configured<Config>(
  parse: (environment: Readonly<Record<string, string | undefined>>, made: ConfiguredProcess) => Config,
): Config {
  try {
    const [argument, ...others] = process.argv.slice(2);
    if ((argument !== undefined && argument !== '--validate') || others.length > 0) {
      throw new ConfigurationError(
        '✖ the only argument is --validate; everything else is told by METERFLOW_ variables',
      );
    }
    const config = parse(process.env, { run: randomBytes(6).toString('hex'), readText });
    if (argument === undefined) {
      return config;
    }
    process.stdout.write('the configuration fits\n');
    process.exit(0);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exit(notConfigured);
  }
}

/** The platform file that the environment names, or what is built in. Throws ConfigurationError. */
export function readPlatform(environment: Readonly<Record<string, string | undefined>>): PlatformFile {
  return declaredBy(environment, readText);
}

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigurationError, declaredBy, type ConfiguredProcess, type PlatformFile } from '@meterflow/service';

/** Exit code of a process that was told something that does not fit. */
const notConfigured = 2;

const readText = (path: string): string => readFileSync(path, 'utf8');

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How the main.ts of a service begins: parses what the process is told. Where it does not fit, says every problem and
 * ends with 2; with `--validate` it ends in any case, with 0 where all fits, and nothing was opened. `--exit-when-idle
 * TIME` is METERFLOW_EXIT_WHEN_IDLE, for whom one word more is easier to give than a variable.
 */
export function configured<Config>(parse: (environment: Environment, made: ConfiguredProcess) => Config): Config {
  try {
    const { validate, environment } = told(process.argv.slice(2));
    const config = parse({ ...process.env, ...environment }, { run: randomBytes(6).toString('hex'), readText });
    if (!validate) {
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

function told(words: string[]): { readonly validate: boolean; readonly environment: Environment } {
  try {
    const options = { validate: { type: 'boolean', default: false }, 'exit-when-idle': { type: 'string' } } as const;
    const { validate, 'exit-when-idle': time } = parseArgs({ args: words, options }).values;
    return { validate, environment: time === undefined ? {} : { METERFLOW_EXIT_WHEN_IDLE: time } };
  } catch (error) {
    const reason = (error as Error).message;
    throw new ConfigurationError(
      `✖ ${reason}; all but --validate and --exit-when-idle is told by METERFLOW_ variables`,
    );
  }
}

/** The platform file that the environment names, or what is built in. Throws ConfigurationError. */
export function readPlatform(environment: Environment): PlatformFile {
  return declaredBy(environment, readText);
}

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { print } from './print.ts';
import { refuse } from './refuse.ts';

/**
 * What this process was called with. For `--help` it prints the usage and ends with 0; what the options do not know ends it
 * with 2 and one line that says what is wrong.
 */
export function parseOptions<const Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    print(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('\n');
    return refuse(`${problem}\n(--help lists the options)`);
  }
}

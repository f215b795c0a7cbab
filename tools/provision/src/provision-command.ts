import { parseArgs } from 'node:util';
import { provisionGoogle } from '@meterflow/platform';
import { platformJsonSchema, type GroundConfig, type PlatformFile } from '@meterflow/service';
import type { CommandOutput } from './command-output.ts';
import { groundOf, groundOptions, type Environment } from './ground.ts';
import { parsedOr, runCommand } from './run-command.ts';

const usage = `npm run provision -- [options]

Makes every topic, subscription, table and view of the platform file, and mends what is otherwise than declared. Nothing
is ever deleted. May be run as often as you like. Exits 0 when all is as declared, 1 when not, 2 when it was told nonsense.

  --check             change nothing, print what is not as declared
  --file FILE         the platform file (METERFLOW_PLATFORM_FILE; what is built in without one)
  --project PROJECT   of Pub/Sub, Bigtable and BigQuery (METERFLOW_GOOGLE_PROJECT)
  --instance NAME     of Bigtable (METERFLOW_BIGTABLE_INSTANCE); it must be there
  --schema            print the JSON Schema of the platform file, and nothing else
  --help

Emulators are named as for Google's own tools: PUBSUB_EMULATOR_HOST, BIGTABLE_EMULATOR_HOST, BIGQUERY_EMULATOR_HOST.`;

/** Resolves to the exit code. */
export function provisionCommand(
  args: readonly string[],
  environment: Environment,
  output: CommandOutput,
): Promise<number> {
  return runCommand(output, async () => {
    const { values } = parsedOr(usage, () => parsed(args));
    if (values.help) {
      output.line(usage);
      return 0;
    }
    if (values.schema) {
      output.line(JSON.stringify(platformJsonSchema(), undefined, 2));
      return 0;
    }
    const { config, declared } = groundOf(values, environment);
    return (values.check ? check : provision)(config, declared, output);
  });
}

const parsed = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      ...groundOptions,
      check: { type: 'boolean', default: false },
      schema: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });

async function check(config: GroundConfig, declared: PlatformFile, output: CommandOutput): Promise<number> {
  const drifts = await provisionGoogle(config, declared, { checkOnly: true });
  drifts.forEach(output.line);
  output.line(drifts.length === 0 ? 'all is as declared' : `${drifts.length} not as declared`);
  return drifts.length === 0 ? 0 : 1;
}

async function provision(config: GroundConfig, declared: PlatformFile, output: CommandOutput): Promise<number> {
  const found = await provisionGoogle(config, declared);
  const remaining = new Set(found.length === 0 ? [] : await provisionGoogle(config, declared, { checkOnly: true }));
  for (const drift of found) {
    output.line(`${remaining.has(drift) ? 'left   ' : 'mended '} ${drift}`);
  }
  if (found.length === 0) {
    output.line('all is as declared');
    return 0;
  }
  output.line(`${found.length - remaining.size} mended, ${remaining.size} left for a person to mend`);
  return remaining.size === 0 ? 0 : 1;
}

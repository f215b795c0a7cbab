import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGunzip, createGzip } from 'node:zlib';
import { backupLines, openBigtable, restoreLines, type BigtableStores } from '@meterflow/bigtable';
import { googleErasablePlaces } from '@meterflow/platform';
import { eraseAgain, type GroundConfig } from '@meterflow/service';
import type { CommandOutput } from './command-output.ts';
import { groundOf, groundOptions, type Environment } from './ground.ts';
import { parsedOr, runCommand } from './run-command.ts';

const usage = `npm run backup -- --out FILE | --restore FILE [--tombstones-only] [options]

Copies every row of the Bigtable tables to a file (gzip), or writes such a file back to tables that \`npm run provision\`
made, and erases again what was ever erased. Both may be run again after they were ended; a copy may be made while the
services run.

  --out FILE          made, or replaced once it is whole
  --restore FILE      written back; cells that are there stay
  --tombstones-only   of FILE only what was erased: lay a later backup over an earlier one, and nothing erased comes back
  --file, --project, --instance   as for npm run provision
  --help`;

/** Resolves to the exit code: 0 done, 1 failed, 2 told nonsense. */
export function backupCommand(
  args: readonly string[],
  environment: Environment,
  output: CommandOutput,
): Promise<number> {
  return runCommand(output, async () => {
    const values = parsedOr(usage, () => parsed(args));
    if (values.help) {
      output.line(usage);
      return 0;
    }
    const { config } = groundOf(values, environment);
    const stores = openBigtable({ projectId: config.projectId, ...config.bigtable });
    try {
      output.line(await (values.out === undefined ? restore(stores, values, config) : backUp(stores, values.out)));
    } finally {
      await stores.close();
    }
    return 0;
  });
}

type Values = ReturnType<typeof parsed>;

function parsed(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...groundOptions,
      out: { type: 'string' },
      restore: { type: 'string' },
      'tombstones-only': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (!values.help && (values.out === undefined) === (values.restore === undefined)) {
    throw new Error('Either --out or --restore.');
  }
  return values;
}

async function backUp(stores: BigtableStores, out: string): Promise<string> {
  const partial = `${out}.part`;
  try {
    await pipeline(backupLines(stores), createGzip(), createWriteStream(partial, { flush: true, mode: 0o600 }));
    await rename(partial, out);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return `The backup is in ${out}.`;
}

async function restore(stores: BigtableStores, values: Values, config: GroundConfig): Promise<string> {
  const bytes = createReadStream(values.restore ?? '');
  const unpacked = createGunzip();
  const reading = pipeline(bytes, unpacked);
  const lines = createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY });
  const tombstonesOnly = values['tombstones-only'];
  const [rows] = await Promise.all([restoreLines(stores, lines, { tombstonesOnly }), reading]);
  // What was erased is hidden by its tombstones; receipts, dead letters and the bytes themselves go here.
  const erasures = await eraseAgain(await googleErasablePlaces(stores, config));
  return `${rows} rows written${tombstonesOnly ? ' of what was erased' : ''}, ${erasures} erasures applied.`;
}

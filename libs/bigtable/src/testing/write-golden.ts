import { writeFileSync } from 'node:fs';
import { startBigtableEmulator } from '@meterflow/emulators';
import { backupLines } from '../backup/row-lines.ts';
import { openBigtable } from '../open-stores.ts';
import { bigtableSchema } from '../schema.ts';
import { correctAndCompact, fillSystem } from './filled-system.ts';
import { goldenFile } from './golden-rows.ts';

/** Writes what this build stores, as `rows-<name>`. Only for a new format: those of earlier builds stay as they are. */
const [name] = process.argv.slice(2);
if (name === undefined) {
  throw new Error('tell the name of the golden rows: the version that wrote them');
}
process.env['METADATA_SERVER_DETECTION'] = 'none';
const emulator = await startBigtableEmulator();
const stores = openBigtable({ projectId: 'p', instance: 'i', emulator: emulator.address });
await stores.provision(bigtableSchema(undefined, ''));
await fillSystem(stores);
await correctAndCompact(stores);
writeFileSync(goldenFile(name, 'rows'), await joined(backupLines(stores)));
writeFileSync(goldenFile(name, 'export'), await joined(stores.exportLines()));
await stores.close();
await emulator.stop();

async function joined(lines: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const line of lines) {
    text += line;
  }
  return text;
}

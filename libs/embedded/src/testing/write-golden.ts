import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentTelemetry } from '@meterflow/stage';
import { backUp } from '../backup/back-up.ts';
import { exportCanonical } from '../export/export-canonical.ts';
import { openEmbeddedPlatform } from '../open-platform.ts';
import { fillDirectory } from './filled-directory.ts';
import { goldenExport, packGolden } from './golden-directory.ts';

/** Writes what this build keeps, as `golden/<name>`. Only for a new format: those of earlier builds stay as they are. */
const [name] = process.argv.slice(2);
if (name === undefined) {
  throw new Error('tell the name of the golden directory: the version that wrote it');
}
const folder = mkdtempSync(join(tmpdir(), 'golden-'));
const [root, to] = [join(folder, 'data'), join(folder, 'backup')];
const platform = openEmbeddedPlatform({ root, owner: 'golden', telemetry: silentTelemetry });
await fillDirectory(platform);
await platform.close();
await backUp({ root, to, nowMs: Date.now() });
packGolden(name, to);
let exported = '';
await exportCanonical({ directory: to, write: (lines) => void (exported += lines) });
writeFileSync(goldenExport(name), exported);
rmSync(folder, { recursive: true });

import { resolve } from 'node:path';
import { backUp, restore } from '@meterflow/embedded';
import { systemClock } from '@meterflow/stage';
import type { GlobalOptions, Output } from '../cli-context.ts';

export interface RestoreOptions {
  readonly from: string;
  readonly erasuresOf?: string;
}

/** Reads the files themselves: needs no server, and disturbs none. */
export async function backupTo(out: string, globals: GlobalOptions, output: Output): Promise<void> {
  const to = resolve(out);
  const { files } = await backUp({ root: resolve(globals.dataDir), to, nowMs: systemClock.nowMs() });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (globals.json) {
    output.line(JSON.stringify({ folder: to, files: files.length, bytes }));
  } else {
    output.note(`The backup is in ${to}: ${files.length} files, ${bytes} bytes.`);
  }
}

/** Into a data directory that is not there yet. */
export async function restoreFrom(options: RestoreOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const { from, erasuresOf } = options;
  const root = resolve(globals.dataDir);
  const { manifest, erasures } = await restore({
    from: resolve(from),
    root,
    ...(erasuresOf === undefined ? {} : { erasuresOf: resolve(erasuresOf) }),
  });
  const madeAt = new Date(manifest.madeAtMs).toISOString();
  if (globals.json) {
    output.line(JSON.stringify({ dataDir: root, madeAt, files: manifest.files.length, erasures }));
  } else {
    output.note(
      `${root} is as it was at ${madeAt}; ${erasures} erasures applied. Replay or send again what came later.`,
    );
  }
}

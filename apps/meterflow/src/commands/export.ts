import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { GlobalOptions, Output } from '../cli-context.ts';
import { askServer } from '../client/with-server.ts';

/** Writes the canonical export; the file is there only when it is whole. */
export async function exportTo(file: string, globals: GlobalOptions, output: Output): Promise<void> {
  const target = resolve(file);
  const partial = `${target}.part`;
  await askServer(globals, async ({ control }) => {
    const lines = await control.stream({ path: '/v1/export', tenant: 'default', role: 'operator' });
    await pipeline(lines, createWriteStream(partial));
  });
  await rename(partial, target);
  if (globals.json) {
    output.line(JSON.stringify({ file: target }));
  } else {
    output.note(`The canonical export is in ${target}.`);
  }
}

import type { GlobalOptions, Output } from '../cli-context.ts';
import { writeWholeFile } from '../client/whole-file.ts';
import { askServer } from '../client/with-server.ts';

/** Writes the canonical export; the file is there only when it is whole. */
export async function exportTo(path: string, globals: GlobalOptions, output: Output): Promise<void> {
  const target = await askServer(globals, ({ control }) =>
    writeWholeFile(path, () => control.stream({ path: '/v1/export', tenant: 'default', role: 'operator' })),
  );
  if (globals.json) {
    output.line(JSON.stringify({ file: target }));
  } else {
    output.note(`The canonical export is in ${target}.`);
  }
}

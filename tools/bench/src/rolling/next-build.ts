import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../repository.ts';
import type { Build } from './fleet.ts';

interface Change {
  readonly from: string;
  readonly to: string;
}

/** Of its messages, and of its cells of readings. */
export const nextFormat = 2;

/**
 * What the next build would change: one added field in every message, and in every cell of readings, under the next number
 * of their formats. The field stands where formats keep room for it: at the top of a message, after the kind of a cell.
 */
const changes: Readonly<Record<string, readonly Change[]>> = {
  'libs/contracts/src/carried-fields.ts': [
    {
      from: 'export const messageFormat = 1;',
      to: `export const messageFormat = ${nextFormat};\nconst addedField = Uint8Array.of(0xc2, 0x3e, 4, 110, 101, 120, 116);`,
    },
    {
      from: 'if (carrier.carried !== undefined) {',
      to: 'if (carrier.carried === undefined) {\n    writer.raw(addedField);\n  } else {',
    },
  ],
  'libs/bigtable/src/readings/segment-cell.ts': [
    {
      from: 'const cellFormat = 1;',
      to: `const cellFormat = ${nextFormat};\nconst addedBytes = Uint8Array.of(4, 110, 101, 120, 116);`,
    },
    { from: '  writer.byte(segmentKind);', to: '  writer.raw(addedBytes);\n  writer.byte(segmentKind);' },
    { from: '  writer.byte(latestKind);', to: '  writer.raw(addedBytes);\n  writer.byte(latestKind);' },
    { from: '  writer.byte(historyKind);', to: '  writer.raw(addedBytes);\n  writer.byte(historyKind);' },
  ],
};

/** A build whose sources are today's with these changes, made as its processes load them. `folder` keeps what makes them. */
export function nextBuild(folder: string): Build {
  const byUrl = Object.fromEntries(
    Object.entries(changes).map(([file, edits]) => [pathToFileURL(join(repositoryRoot, file)).href, edits]),
  );
  const hooks = join(folder, 'next-build.mjs');
  writeFileSync(hooks, hookSource(byUrl));
  return { name: 'next', nodeOptions: ['--import', pathToFileURL(hooks).href] };
}

/** A change that finds nothing to change ends the process: the next build would be today's. */
function hookSource(byUrl: Readonly<Record<string, readonly Change[]>>): string {
  return `
import { registerHooks } from 'node:module';
const changes = new Map(Object.entries(${JSON.stringify(byUrl)}));
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const edits = changes.get(url);
    if (edits === undefined) {
      return loaded;
    }
    let source = String(loaded.source);
    for (const { from, to } of edits) {
      if (!source.includes(from)) {
        throw new Error(url + ' has no "' + from + '" any more: the next build must be told anew');
      }
      source = source.replace(from, () => to);
    }
    return { ...loaded, source };
  },
});
`;
}

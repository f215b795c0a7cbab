import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { restoreLines } from './backup/row-lines.ts';
import { goldenFile, goldenNames } from './testing/golden-rows.ts';
import { withEmulator } from './testing/temporary-stores.ts';

async function* linesOf(file: string): AsyncGenerator<string> {
  yield* await Promise.resolve(readFileSync(file, 'utf8').trimEnd().split('\n'));
}

withEmulator('rows that builds have stored', (emulator) => {
  test('are there', () => {
    expect(goldenNames()).toContain('1');
  });

  test.each(goldenNames())(
    'of format %s are still read: the export is that of the build that wrote them',
    async (name) => {
      const stores = await emulator.open();
      await restoreLines(stores, linesOf(goldenFile(name, 'rows')));
      let exported = '';
      for await (const lines of stores.exportLines()) {
        exported += lines;
      }
      expect(exported).toBe(readFileSync(goldenFile(name, 'export'), 'utf8'));
      expect(await stores.registry.get('setting', 'acme/x')).toMatchObject({ value: { x: 1 } });
      expect(await stores.tickets.take('acme')).toBe(2);
    },
  );

  test('with cells of the next format are read: what a newer build added in them is passed over', async () => {
    const stores = await emulator.open();
    await restoreLines(stores, nextCells());
    let exported = '';
    for await (const lines of stores.exportLines()) {
      exported += lines;
    }
    expect(exported).toBe(readFileSync(goldenFile('1', 'export'), 'utf8'));
  });
});

type RowLine = [
  table: string,
  key: string,
  cells: [family: string, qualifier: string, micros: number, value: string][],
];

/** The golden rows with every cell of readings as a build of the next format would have written it. */
async function* nextCells(): AsyncGenerator<string> {
  for await (const line of linesOf(goldenFile('1', 'rows'))) {
    if (!line.startsWith('["readings"')) {
      yield line;
      continue;
    }
    const [table, key, cells] = JSON.parse(line) as RowLine;
    const next = cells.map(([family, qualifier, micros, value]) => {
      const bytes = Buffer.from(value, 'base64');
      const extended = Buffer.concat([Buffer.of(2, bytes[1] ?? 0, 4), Buffer.from('next'), bytes.subarray(2)]);
      return [family, qualifier, micros, extended.toString('base64')] as const;
    });
    yield JSON.stringify([table, key, next]);
  }
}

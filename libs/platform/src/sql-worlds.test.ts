import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPlatform, runSql } from '@meterflow/embedded';
import { silentTelemetry } from '@meterflow/stage';
import { expect, test } from 'vitest';

/** The names that a SELECT of ours gives its columns. */
function namesOf(query: string): string[] {
  const list = query.slice('SELECT '.length, query.indexOf('\nFROM'));
  let depth = 0;
  let start = 0;
  const expressions: string[] = [];
  for (let at = 0; at <= list.length; at++) {
    const letter = list[at] ?? ',';
    depth += letter === '(' ? 1 : letter === ')' ? -1 : 0;
    if (letter === ',' && depth === 0) {
      expressions.push(list.slice(start, at));
      start = at + 1;
    }
  }
  return expressions.map((text) => (text.split(' AS ').at(-1) as string).trim().replaceAll('`', ''));
}

test('aggregates have the same columns in both worlds of SQL, in the same order', async () => {
  const { warehouseDefinitions } = await import('@meterflow/bigquery');
  const root = mkdtempSync(join(tmpdir(), 'sql-worlds-'));
  const platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
  try {
    const { columns } = await runSql({ directory: root, sql: 'from aggregates limit 0' });
    const view = warehouseDefinitions((name) => name).find(
      ({ kind, name }) => kind === 'view' && name === 'aggregates',
    );
    expect(namesOf(view?.query ?? '')).toEqual(columns.map(({ name }) => name));
  } finally {
    await platform.close();
    rmSync(root, { recursive: true });
  }
});

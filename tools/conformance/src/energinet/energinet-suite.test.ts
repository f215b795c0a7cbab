import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { energinetSuite } from './energinet-suite.ts';

const { folder } = energinetSuite;
const cases = existsSync(folder) ? await energinetSuite.cases(folder) : [];
const noPipeline = () => Promise.reject(new Error('a settlement needs no pipeline'));

describe.skipIf(cases.length === 0)("Energinet's scenarios [needs shared]", () => {
  test.each(cases)('$title: every energy result, to the last decimal', async (scenario) => {
    expect(await scenario.run(noPipeline)).toBeUndefined();
  });

  test('are found from any folder above them, and from one itself', async () => {
    const [first] = cases;
    expect(await energinetSuite.cases(join(folder, '..', '..'))).toHaveLength(cases.length);
    expect((await energinetSuite.cases(join(folder, first?.name ?? ''))).map(({ name }) => name)).toEqual([
      first?.name,
    ]);
  });
});

test('a folder without scenarios is an error, not a pass', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'scenarios-'));
  try {
    await expect(energinetSuite.cases(empty)).rejects.toThrow('no folder with "when"');
  } finally {
    await rm(empty, { recursive: true });
  }
});

import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { energinetSuite } from './energinet-suite.ts';
import { runScenario } from './run-scenario.ts';

const { folder } = energinetSuite;
const cases = existsSync(folder) ? await energinetSuite.cases(folder) : [];
/** Made by us from the definitions, for what the shared scenarios do not touch; settled by hand and by other code than ours. */
const ownFolder = resolve(import.meta.dirname, '../../cases/energinet');
const ownCases = await energinetSuite.cases(ownFolder);
const noPipeline = () => Promise.reject(new Error('a settlement needs no pipeline'));

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const made = await mkdtemp(join(tmpdir(), 'scenarios-'));
  try {
    return await work(made);
  } finally {
    await rm(made, { recursive: true });
  }
}

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

describe('scenarios of our own', () => {
  test.each(ownCases)('$title', async (scenario) => {
    expect(await scenario.run(noPipeline)).toBeUndefined();
  });

  test('without points have nothing but what is missing; one without arguments is an error', async () => {
    await inFolder(async (made) => {
      await cp(join(ownFolder, 'nothing_but_master_data'), made, { recursive: true });
      await rm(join(made, 'when/time_series_points.csv'));
      expect(await runScenario(made)).toBeUndefined();
      await rm(join(made, 'when/grid_loss_metering_points.csv'));
      expect(await runScenario(made)).toContain('flex_consumption.csv');
      await rm(join(made, 'when/calculation_arguments.yml'));
      await expect(runScenario(made)).rejects.toThrow('calculation_arguments.yml');
    });
  });

  test('fail where they expect a result that nobody knows, or none at all', async () => {
    await inFolder(async (made) => {
      await cp(join(ownFolder, 'no_metering_points_at_all'), made, { recursive: true });
      const results = join(made, 'then/energy_results');
      await rename(join(results, 'exchange.csv'), join(results, 'exchanges.csv'));
      await expect(runScenario(made)).rejects.toThrow('exchanges: no result of a settlement is called so');
      await rm(results, { recursive: true });
      await mkdir(results);
      await writeFile(join(results, '.gitkeep'), '');
      expect(await runScenario(made)).toBe('no energy result is expected');
    });
  });
});

test('a folder without scenarios is an error, not a pass', async () => {
  await inFolder(async (empty) => {
    await expect(energinetSuite.cases(empty)).rejects.toThrow('no folder with "when"');
  });
});

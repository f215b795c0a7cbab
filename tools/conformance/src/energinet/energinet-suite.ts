import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fixtures } from '../repository.ts';
import type { Suite } from '../suite.ts';
import { runScenario } from './run-scenario.ts';

/** Folders of scenarios may lie so deep below the one that is named. */
const depthMax = 4;

/** Energinet's settlement of the Danish grid areas: metering points and their points, and the energy results of a period. */
export const energinetSuite: Suite = {
  title: "Energinet's wholesale settlement, every energy result of a period",
  folder: join(fixtures, 'energinet-wholesale/scenario_tests/energy_calculation'),
  cases: async (folder) => {
    const found = await scenarioFolders(folder, depthMax);
    if (found.length === 0) {
      throw new Error(`${folder}: no folder with "when" and "then/energy_results" in it`);
    }
    return found.map((path) => ({
      name: basename(path),
      title: basename(path).replaceAll('_', ' '),
      run: () => runScenario(path),
    }));
  },
};

/** The folder itself or those below it that hold a scenario with energy results, by name. */
async function scenarioFolders(folder: string, depth: number): Promise<readonly string[]> {
  if ((await isFolder(join(folder, 'when'))) && (await isFolder(join(folder, 'then/energy_results')))) {
    return [folder];
  }
  if (depth === 0) {
    return [];
  }
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found = await Promise.all(folders.sort().map((name) => scenarioFolders(join(folder, name), depth - 1)));
  return found.flat();
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

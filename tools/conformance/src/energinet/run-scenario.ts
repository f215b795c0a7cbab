import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvTable } from './csv-table.ts';
import { energyRows } from './energy-rows.ts';
import { firstDifference } from './first-difference.ts';
import { meteringPoints } from './metering-points.ts';
import { readScenario } from './scenario.ts';
import { settle } from './settle.ts';
import { settlementProfile } from './settlement-profile.ts';

/** Settles a scenario and compares every energy result that its folder expects; the first difference, or undefined. */
export async function runScenario(folder: string): Promise<string | undefined> {
  const scenario = await readScenario(folder);
  const settlement = settle(settlementProfile, await meteringPoints(scenario), scenario);
  const results = join(folder, 'then', 'energy_results');
  const files = (await readdir(results)).filter((name) => name.endsWith('.csv')).sort();
  if (files.length === 0) {
    return 'no energy result is expected';
  }
  for (const file of files) {
    const expected = csvTable(await readFile(join(results, file), 'utf8'));
    const found = energyRows(file.replace(/\.csv$/, ''), settlement, scenario);
    if (found === undefined && expected.length > 0) {
      return `${file}: a ${scenario.calculationType} calculation has no such result`;
    }
    const difference = firstDifference(found ?? [], expected);
    if (difference !== undefined) {
      return `${file}: ${difference}`;
    }
  }
  return undefined;
}

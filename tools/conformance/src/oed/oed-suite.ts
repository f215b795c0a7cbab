import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fixtures } from '../repository.ts';
import type { Suite } from '../suite.ts';
import { readCases } from './case-file.ts';
import { runCase } from './run-case.ts';

/** The uploads of Open Energy Dashboard: CSV files of meters and readings with the options of its upload page. */
export const oedSuite: Suite = {
  title: "Open Energy Dashboard's CSV uploads, the rows that are stored in the end",
  folder: join(fixtures, 'oed/csvPipeline'),
  cases: async (given) => {
    const folder = [given, join(given, 'csvPipeline')].find((each) => existsSync(join(each, 'cases.json'))) ?? given;
    return [...(await readCases(folder))].map(([name, read]) => ({
      name,
      title: 'tried' in read ? read.tried.description : '',
      run: async (pipeline) =>
        'tried' in read ? runCase({ folder, name, tried: read.tried, pipeline: await pipeline() }) : read.problem,
    }));
  },
};

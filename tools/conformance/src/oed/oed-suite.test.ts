import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PipelineOnDemand } from '../pipeline.ts';
import { runSuite } from '../run-suite.ts';
import { oedSuite } from './oed-suite.ts';

/** Made by us from the descriptions of OED's own cases (matrix…), and from what its options mean (edge…). */
const ownFolder = resolve(import.meta.dirname, '../../cases/oed');
const minuteMs = 60_000;

const pipeline = new PipelineOnDemand();
beforeAll(async () => {
  await pipeline.started();
}, minuteMs);
afterAll(() => pipeline.stop());

async function failed(folder: string): Promise<readonly string[]> {
  const verdicts = await runSuite(await oedSuite.cases(folder), pipeline.started);
  expect(verdicts.length).toBeGreaterThan(0);
  return verdicts.filter(({ passed }) => !passed).map(({ name, difference }) => `${name}: ${difference ?? ''}`);
}

test(
  'every case that was made from the descriptions ends in the rows that they tell',
  { timeout: minuteMs },
  async () => {
    expect(await failed(ownFolder)).toEqual([]);
  },
);

test('a case fails for another answer, another row, a file that is not there and an entry that is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'uploads-'));
  try {
    const line = '5,2023-05-01 00:00:00,2023-05-02 00:00:00';
    await writeFile(join(folder, 'five.csv'), line);
    await writeFile(join(folder, 'six.csv'), line.replace('5', '6'));
    const upload = {
      kind: 'readings',
      options: { gzip: 'false', meterName: 'M' },
      file: 'five.csv',
      responseCode: 200,
    };
    const meters = { kind: 'meters', options: { gzip: 'false' }, file: 'meter.csv' };
    await writeFile(join(folder, 'meter.csv'), 'M,,TRUE,TRUE,other');
    const planted = {
      'planted right': { uploads: [meters, upload], expected: 'five.csv' },
      'planted answer': { uploads: [meters, { ...upload, responseCode: 400 }], expected: 'five.csv' },
      'planted row': { uploads: [meters, upload], expected: 'six.csv' },
      'planted file': { uploads: [meters, { ...upload, file: 'seven.csv' }], expected: 'five.csv' },
      'planted key': { uploads: [meters, upload], expect: 'five.csv' },
      'planted nothing': {},
    };
    await writeFile(join(folder, 'cases.json'), JSON.stringify(planted));
    expect(await failed(folder)).toEqual([
      'planted answer: upload 2 (five.csv): expected the answer 400, got 200',
      expect.stringMatching(/^planted row: row 1: expected .*: 6, stored .*: 5$/),
      expect.stringContaining('planted file: Error: ENOENT'),
      expect.stringContaining('planted key: cases.json: '),
      expect.stringContaining('planted nothing: cases.json: uploads: '),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe.skipIf(!existsSync(oedSuite.folder))("OED's own cases [needs shared]", () => {
  test('end in the rows that OED expects, each with its answers', { timeout: minuteMs }, async () => {
    expect(await failed(oedSuite.folder)).toEqual([]);
  });
});

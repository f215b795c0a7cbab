import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PipelineOnDemand } from '../pipeline.ts';
import { runSuite } from '../run-suite.ts';
import { oedSuite } from './oed-suite.ts';

/** Made by us from the descriptions of OED's own cases, and from what its options mean. */
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

describe.skipIf(!existsSync(oedSuite.folder))("OED's own cases [needs shared]", () => {
  test('end in the rows that OED expects, each with its answers', { timeout: minuteMs }, async () => {
    expect(await failed(oedSuite.folder)).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadingBatch } from '@meterflow/readings';
import { flowOfBody, sampleBatch } from '@meterflow/rules/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IsolatedSandbox } from '../isolated-sandbox.ts';

// What somebody could do who broke out of an isolate and writes to the pipe of its child.

const childEntry = join(import.meta.dirname, 'forging-child.ts');
/** What the forging child can answer. */
export const forgeries = [...readFileSync(childEntry, 'utf8').matchAll(/^ {2}'([^']+)':/gm)].map(
  ([, name]) => name as string,
);
const honest = flowOfBody('reading.value = 1');

function batchThatAsksFor(forgery: string, tenant: string): ReadingBatch {
  const batch = sampleBatch({ tenant });
  return { ...batch, columns: { ...batch.columns, texts: [...batch.columns.texts, forgery] } };
}

export function describeForgedAnswers(chosen: readonly string[]): void {
  describe('a child that answers what no rule can do', () => {
    let sandbox: IsolatedSandbox;
    beforeAll(() => {
      sandbox = new IsolatedSandbox({ childEntry });
    });
    afterAll(() => sandbox.close());

    test('answers as an honest one where nothing is forged', async () => {
      expect((await sandbox.run(honest, sampleBatch())).any).toBe(0);
      expect(forgeries.length).toBeGreaterThan(20);
    });

    test.each(chosen)('%s: is replaced, the version is in quarantine, and no other tenant is hurt', async (forgery) => {
      const flow = flowOfBody(`reading.annotate(${JSON.stringify(forgery)})`);
      const others = ['a', 'b', 'c'].map((tenant) => sandbox.run(honest, sampleBatch({ tenant })));
      const forged = sandbox.run(flow, batchThatAsksFor(forgery, `forger ${forgery}`));
      const after = sandbox.run(honest, sampleBatch({ tenant: 'd' }));
      await expect(forged).rejects.toMatchObject({ name: 'RuleFailureError', code: 'rule-killed-its-host' });
      for (const { any } of await Promise.all([...others, after])) {
        expect(any).toBe(0);
      }
    });
  });
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSourceErasure, ScriptedLedger } from '@meterflow/receipts/testing';
import { expect, test } from 'vitest';
import { EmbeddedSources, type EmbeddedSourcesOptions } from './sources.ts';

/** Sources in a folder of their own. */
class TemporarySources {
  readonly #directory = mkdtempSync(join(tmpdir(), 'erase-sources-'));
  readonly file = join(this.#directory, 'sources.sqlite');
  readonly #opened: EmbeddedSources[] = [];
  #ids = 0;

  open(options: Omit<EmbeddedSourcesOptions, 'newId'>): EmbeddedSources {
    const sources = new EmbeddedSources(this.file, { ...options, newId: () => `id${(this.#ids += 1)}` });
    this.#opened.push(sources);
    return sources;
  }

  close(): Promise<void> {
    this.#opened.forEach((sources) => {
      sources.disconnect();
    });
    rmSync(this.#directory, { recursive: true });
    return Promise.resolve();
  }
}

describeSourceErasure('SQLite', () => Promise.resolve(new TemporarySources()));

test('what was erased is in no byte of the file, nor of its log', async () => {
  const temporary = new TemporarySources();
  const sources = temporary.open({ ledger: new ScriptedLedger(), nowMs: () => 9_000 });
  const { sourceId } = await sources.accept({
    ...{ tenant: 'acme', kind: 'file', identity: 'i', contentHash: 'x', label: 'smith.csv', mapping: 'm@1' },
    ...{ sourceVersion: 0, activation: 1, nowMs: 1_000, readingsPerBatch: 10, startsFromMs: 0, intervalLengths: '' },
  });
  await sources.reject(sourceId, [{ line: 2, column: 'value', code: 'no-value', reason: 'no value', text: 'm2,Null' }]);
  await sources.erase({ tenant: 'acme', upToMs: 5_000 });
  const bytes = [temporary.file, `${temporary.file}-wal`].map((name) => readFileSync(name, 'latin1')).join('');
  expect(bytes).not.toContain('m2,Null');
  expect(bytes).not.toContain('smith.csv');
  await temporary.close();
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentTelemetry } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { restore } from './backup/restore.ts';
import { exportCanonical } from './export/export-canonical.ts';
import { openEmbeddedPlatform, type EmbeddedPlatform } from './open-platform.ts';
import { filled } from './testing/filled-directory.ts';
import { goldenExport, goldenNames, unpackGolden } from './testing/golden-directory.ts';
import { receiveNow } from './testing/temporary-bus.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'golden-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('data directories that builds have kept are there', () => {
  expect(goldenNames()).toContain('1');
});

describe.each(goldenNames())('the data directory of format %s', (name) => {
  let root: string;
  let platform: EmbeddedPlatform;

  beforeEach(async () => {
    root = join(folder, 'data');
    unpackGolden(name, join(folder, 'backup'));
    await restore({ from: join(folder, 'backup'), root });
    platform = openEmbeddedPlatform({ root, owner: 'reader', telemetry: silentTelemetry });
  });

  afterEach(() => platform.close());

  test('exports what the build that wrote it did', async () => {
    let exported = '';
    await exportCanonical({ directory: root, write: (lines) => void (exported += lines) });
    expect(exported).toBe(readFileSync(goldenExport(name), 'utf8'));
  });

  test('has its receipt, what was rejected, and what was superseded', async () => {
    const [receipt, ...more] = await platform.sources.list(filled.tenant, { limit: 9 });
    expect(more).toEqual([]);
    expect(receipt).toMatchObject({
      ...{ label: 'may.csv', state: 'complete', received: 13, accepted: 12, rejected: 1, inserted: 12, superseded: 0 },
      ...{ batches: 1, batchesDead: 0, aggregatesWritten: 4, rejects: [{ line: 3, code: 'no-value' }] },
    });
    const everything = { tenant: filled.tenant, meter: 'm1', channel: 'import', fromMs: 0, toMs: 4e12 };
    const [replaced] = await platform.readings('raw').history({ ...everything, layer: 'raw' });
    expect(replaced?.columns.values).toHaveLength(filled.correctedHours);
  });

  test('has its registry, tickets and done marks', async () => {
    const { setting, tenant, subscription, doneKey } = filled;
    expect(await platform.registry.get('setting', setting.key)).toMatchObject({ value: setting.value });
    expect(await platform.tickets.take(tenant)).toBe(3);
    const lease = { owner: 'reader', leaseMs: 1_000 };
    expect(await platform.deduper(subscription).claim([doneKey], lease)).toEqual([{ state: 'done' }]);
  });

  test('delivers the message that waits, and that alone', async () => {
    const source = platform.source(filled.subscription);
    const messages = await receiveNow(source);
    expect(messages).toMatchObject([filled.waiting]);
    await source.ack(messages);
    expect(platform.bus.backlog()).toMatchObject([{ messages: 0 }]);
  });
});

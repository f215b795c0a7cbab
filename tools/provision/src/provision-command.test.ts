import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeBigQuery } from '@meterflow/bigquery/testing';
import { skippedWithout, startBigtableEmulator, startPubsubEmulator, type RunningPart } from '@meterflow/emulators';
import { parsePlatformFile, platformJsonSchema } from '@meterflow/service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { provisionCommand } from './provision-command.ts';

process.env['METADATA_SERVER_DETECTION'] = 'none';

async function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const lines: string[] = [];
  const problems: string[] = [];
  const exitCode = await provisionCommand(args, environment, {
    line: (text) => lines.push(text),
    problem: (text) => problems.push(text),
  });
  return { exitCode, lines, problems: problems.join('\n') };
}

const repository = join(import.meta.dirname, '../../..');

describe('the command', () => {
  test('tells what it takes, and what is missing', async () => {
    expect(await run(['--help'])).toMatchObject({ exitCode: 0, lines: [expect.stringContaining('--check')] });
    const misspelt = await run(['--chekc']);
    expect(misspelt.exitCode).toBe(2);
    expect(misspelt.problems).toContain('--chekc');
    const { exitCode, problems } = await run([]);
    expect(exitCode).toBe(2);
    expect(problems).toMatch(/METERFLOW_GOOGLE_PROJECT[^]*METERFLOW_BIGTABLE_INSTANCE/);
  });

  test('names what is wrong in the file', async () => {
    const { exitCode, problems } = await run(['--project=p', '--instance=i', '--file', '/nowhere/platform.json']);
    expect(exitCode).toBe(2);
    expect(problems).toMatch(/METERFLOW_PLATFORM_FILE can't be read/);
  });
});

describe('the file in k8s', () => {
  test('fits, and its schema for editors is the one that is printed', async () => {
    const path = join(repository, 'k8s/platform.json');
    expect(parsePlatformFile(readFileSync(path, 'utf8'), path)).toMatchObject({ lanes: ['live', 'bulk'] });
    // Anew with: npm run --silent provision -- --schema > k8s/platform.schema.json
    const schema: unknown = JSON.parse(readFileSync(join(repository, 'k8s/platform.schema.json'), 'utf8'));
    expect(schema).toEqual(platformJsonSchema());
    expect(JSON.parse((await run(['--schema'])).lines.join('\n'))).toEqual(schema);
  });
});

const skipped = skippedWithout('pubsub-emulator') || skippedWithout('bigtable-emulator');

describe.skipIf(skipped)('provisioning [needs pubsub-emulator] [needs bigtable-emulator]', () => {
  const folder = mkdtempSync(join(tmpdir(), 'provision-'));
  let parts: readonly [RunningPart, RunningPart];
  let fake: FakeBigQuery;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    parts = await Promise.all([startPubsubEmulator(), startBigtableEmulator()]);
    fake = await FakeBigQuery.start();
    fake.looks = 0;
    environment = {
      METERFLOW_GOOGLE_PROJECT: fake.location.projectId,
      METERFLOW_BIGTABLE_INSTANCE: 'i',
      PUBSUB_EMULATOR_HOST: parts[0].address,
      BIGTABLE_EMULATOR_HOST: parts[1].address,
      BIGQUERY_EMULATOR_HOST: new URL(fake.location.apiEndpoint ?? '').host,
    };
  }, 60_000);

  afterAll(async () => {
    await Promise.all([...parts.map((part) => part.stop()), fake.close()]);
    rmSync(folder, { recursive: true });
  });

  const runOn = (declared: object, ...args: readonly string[]) => {
    const file = join(folder, 'platform.json');
    writeFileSync(file, JSON.stringify(declared));
    return run(['--file', file, ...args], environment);
  };

  const first = { lanes: ['live'] };
  const second = {
    lanes: ['live', 'night'],
    messages: { ackDeadlineSeconds: 90, retentionDays: 5 },
    tables: { retentionDays: { readings: 7_000 } },
    warehouse: { dataset: 'metering', location: 'EU' },
  };

  test('a check of nothing finds all of it absent, and makes none of it', async () => {
    const { exitCode, lines } = await runOn(first, '--check');
    expect(exitCode).toBe(1);
    expect(lines).toEqual(
      expect.arrayContaining([
        'table readings: is absent',
        'topic readings.accepted.live: is absent',
        'subscription persistence-raw.live: is absent',
        'topic persistence-raw.live.retry: is absent',
        'subscription persistence-raw.live.retry: is absent',
      ]),
    );
    expect((await runOn(first, '--check')).lines).toEqual(lines);
  });

  test('makes it, and then finds nothing to do', async () => {
    const made = await runOn(first);
    expect(made.exitCode).toBe(0);
    expect(made.lines.slice(0, -1).every((line) => line.startsWith('mended '))).toBe(true);
    expect(made.lines.at(-1)).toMatch(/^\d+ mended, 0 left/);
    expect(await runOn(first)).toMatchObject({ exitCode: 0, lines: ['all is as declared'] });
    expect(await runOn(first, '--check')).toMatchObject({ exitCode: 0, lines: ['all is as declared'] });
  });

  test('finds each kind of drift, and mends it', async () => {
    const { exitCode, lines } = await runOn(second, '--check');
    expect(exitCode).toBe(1);
    expect(lines).toEqual(
      expect.arrayContaining([
        'table readings family s: keeps otherwise',
        'warehouse: dataset metering is not there',
        'warehouse: view readings is not there',
        'topic readings.accepted.live: retentionMs is 604800000, not 432000000',
        'subscription aggregation.live: ackDeadlineMs is 60000, not 90000',
        'subscription aggregation.live: retentionMs is 604800000, not 432000000',
        'topic readings.accepted.night: is absent',
        'subscription bigquery-raw.live: is absent',
      ]),
    );
    expect((await runOn(second)).lines.at(-1)).toBe(`${lines.length - 1} mended, 0 left for a person to mend`);
    expect(await runOn(second, '--check')).toMatchObject({ exitCode: 0 });
  });

  test('a view that says something else is made anew', async () => {
    Object.assign(fake.table('readings') as object, { view: { query: 'SELECT 1' } });
    expect((await runOn(second, '--check')).lines[0]).toBe('warehouse: view readings says something else');
    expect((await runOn(second)).exitCode).toBe(0);
    expect((await runOn(second, '--check')).exitCode).toBe(0);
  });

  test('a subscription that nobody declares any more is told, and left: it may hold what nobody has read', async () => {
    const { exitCode, lines } = await runOn({ ...second, warehouse: undefined });
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      ...['aggregates', 'raw', 'validated'].flatMap((what) =>
        ['live', 'night'].map(
          (lane) =>
            `left    subscription bigquery-${what}.${lane}: nobody declares it, and it keeps every message; delete it`,
        ),
      ),
      '0 mended, 6 left for a person to mend',
    ]);
  });
});

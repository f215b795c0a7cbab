import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { BatchBuilder, rawVersion, ReadingRow, type Layer } from '@meterflow/readings';
import { eraseEverywhere } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { erasablePlaces } from '../erase/erasable-places.ts';
import { exportCanonical } from '../export/export-canonical.ts';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '../open-platform.ts';
import { declareTopology } from '../testing/declare-topology.ts';
import { fillStores } from '../testing/filled-stores.ts';
import { backUp } from './back-up.ts';
import { manifestName } from './manifest.ts';
import { restore } from './restore.ts';

const hourMs = 3_600_000;
let folder: string;
let root: string;
let to: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
  [root, to] = [join(folder, 'data'), join(folder, 'backup')];
  await declareTopology(root, { topics: ['t'], subscriptions: ['s'] });
  await fillStores(
    root,
    ['m1', 'm2'].flatMap((meter) => hours(meter, 48)),
  );
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const hours = (meter: string, count: number) =>
  Array.from({ length: count }, (_, hour) => ({
    meter,
    startMs: hour * hourMs,
    lengthMs: hourMs,
    integer: 7 + hour,
    decimals: 1,
  }));

/** One reading, accepted long ago. */
async function store(
  platform: EmbeddedPlatform,
  layer: Layer,
  { day, meter = 'busy' }: { day: number; meter?: string },
): Promise<void> {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(meter, 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, 1));
  row.startMs = day * 24 * hourMs;
  row.lengthMs = hourMs;
  row.integer = 7;
  builder.append(row);
  const batch = builder.finish({ tenant: 'default', layer, sourceId: 's.1', acceptedAtMs: 1, activation: 1 });
  await platform.readings(layer).write([{ key: day.toString(16).padStart(32, meter === 'm1' ? 'a' : 'b'), batch }]);
}

async function exported(directory: string): Promise<string> {
  let text = '';
  await exportCanonical({
    directory,
    write: (lines) => {
      text += lines;
    },
  });
  return text;
}

async function on<Result>(directory: string, work: (platform: EmbeddedPlatform) => Promise<Result>): Promise<Result> {
  const platform = openEmbeddedPlatform({ root: directory, owner: 'drill', telemetry: silentTelemetry });
  try {
    return await work(platform);
  } finally {
    await platform.close();
  }
}

const eraseM1 = (directory: string): Promise<unknown> =>
  on(directory, (platform) =>
    eraseEverywhere(erasablePlaces(platform), {
      tenant: 'default',
      series: { meter: 'm1' },
      upToMs: 2_000,
      id: 'drill',
    }),
  );

const made = { nowMs: 1_700_000_000_000 };

describe('the drill', () => {
  test('what was backed up, destroyed and restored is what it was, with what waited on the bus', async () => {
    mkdirSync(join(root, 'drop', 'default'), { recursive: true });
    writeFileSync(join(root, 'drop', 'default', 'late.csv'), 'meter_id\n');
    await on(root, async ({ publisher }) => {
      await publisher.publish([{ topic: 't', payload: new Uint8Array([1, 2, 3]), attributes: {} }]);
    });
    const before = await exported(root);
    expect(before.split('\n').length).toBeGreaterThan(200);
    const manifest = await backUp({ root, to, ...made });
    expect(manifest.files.map(({ path }) => path)).toContain('stores/raw.sqlite');
    rmSync(root, { recursive: true });

    expect(await restore({ from: to, root })).toEqual({ manifest, erasures: 0 });
    expect(await exported(root)).toBe(before);
    expect(readFileSync(join(root, 'drop', 'default', 'late.csv'), 'utf8')).toBe('meter_id\n');
    await on(root, (platform) => {
      expect(platform.bus.backlog()).toMatchObject([{ subscription: 's', messages: 1 }]);
      return Promise.resolve();
    });
  });

  test('is of one instant, whatever is written while it is made', async () => {
    const over = new AbortController();
    const writing = on(root, async (platform) => {
      for (let day = 0; !over.signal.aborted; day++) {
        // At no instant has the validated store a day that the raw one has not, or lacks two that it has.
        await store(platform, 'raw', { day });
        await store(platform, 'validated', { day });
        await turn();
      }
    });
    try {
      for (const round of [1, 2, 3]) {
        const [each, copy] = [`${to}.${round}`, join(folder, `copy.${round}`)];
        await backUp({ root, to: each, ...made });
        await restore({ from: each, root: copy });
        const lines = (await exported(copy)).split('\n').filter((line) => line.includes('"meter":"busy"'));
        const daysOf = (layer: string): number => lines.filter((line) => line.includes(`"layer":"${layer}"`)).length;
        expect(daysOf('raw') - daysOf('validated')).toBeOneOf([0, 1]);
      }
    } finally {
      over.abort();
      await writing;
    }
  });

  test('brings nothing back that was erased before it', async () => {
    await eraseM1(root);
    await backUp({ root, to, ...made });
    const copy = join(folder, 'copy');
    expect((await restore({ from: to, root: copy })).erasures).toBe(1);
    expect(await exported(copy)).toBe(await exported(root));
  });

  test('nor what was erased since: of a later backup or data directory the erasures are applied', async () => {
    await backUp({ root, to, ...made });
    await eraseM1(root);
    const after = await exported(root);
    const copy = join(folder, 'copy');
    expect((await restore({ from: to, root: copy, erasuresOf: root })).erasures).toBe(1);
    expect(await exported(copy)).toBe(after);
    expect(after).not.toContain('"m1"');
    // And what comes late of it is still refused.
    await on(copy, (platform) => store(platform, 'raw', { day: 0, meter: 'm1' }));
    expect(await exported(copy)).toBe(after);
  });
});

describe('a backup', () => {
  test('that is not complete, or damaged, is not restored', async () => {
    await backUp({ root, to, ...made });
    const copy = join(folder, 'copy');
    appendFileSync(join(to, 'stores', 'raw.sqlite'), 'x');
    await expect(restore({ from: to, root: copy })).rejects.toThrow(/raw\.sqlite is missing or damaged/);
    rmSync(join(to, manifestName));
    await expect(restore({ from: to, root: copy })).rejects.toThrow(/no complete backup/);
    expect(existsSync(copy)).toBe(false);
  });

  test('is written over nothing, nor restored over anything', async () => {
    await backUp({ root, to, ...made });
    await expect(backUp({ root, to, ...made })).rejects.toThrow(/not empty/);
    await expect(restore({ from: to, root })).rejects.toThrow(/not empty/);
    await expect(backUp({ root: join(folder, 'nothing'), to: join(folder, 'b'), ...made })).rejects.toThrow(
      /no data directory/,
    );
  });
});

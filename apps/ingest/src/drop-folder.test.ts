import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseMapping } from '@meterflow/formats';
import { silentTelemetry, TransientError } from '@meterflow/stage';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dropSteadyMs } from './limits.ts';
import { Mappings } from './mappings.ts';
import { csvHeader, csvLines, IngestStand } from './testing/ingest-stand.ts';

let stand: IngestStand;
let folder: string;
const warnings: string[] = [];
const telemetry = {
  ...silentTelemetry,
  logger: { ...silentTelemetry.logger, warn: (message: string) => void warnings.push(message) },
};

let tenant: string;
let tenants = 0;

beforeAll(async () => {
  stand = await IngestStand.open({ ports: { telemetry } });
});
beforeEach(async () => {
  warnings.length = 0;
  tenants += 1;
  tenant = `acme-${tenants}`;
  await stand.tenants.ensure(tenant);
  folder = join(stand.platform.directory.drop, tenant);
  await mkdir(folder, { recursive: true });
  stand.published.length = 0;
  stand.beforePublish = () => undefined;
});
afterEach(() => rm(stand.platform.directory.drop, { recursive: true }));
afterAll(() => stand.close());

const csv = csvHeader + csvLines(10);
const drop = (name: string, text: string | Uint8Array = csv): Promise<void> => writeFile(join(folder, name), text);

/** Looks, waits until files are steady, and looks again. */
async function settle(of: IngestStand = stand): Promise<number> {
  await of.ingest.dropFolder.look();
  of.clock.aheadMs += dropSteadyMs;
  return of.ingest.dropFolder.look();
}

function receiptOf(name: string, shelf = 'done'): { sourceId: string; accepted: number; rejected: number } {
  return JSON.parse(readFileSync(join(folder, shelf, `${name}.receipt.json`), 'utf8')) as ReturnType<typeof receiptOf>;
}

describe('quotas', () => {
  test('of requests bound the files of a minute: the others wait', async () => {
    await stand.tenants.setQuotas(tenant, { requestsPerMinute: 2 });
    await drop('a.csv');
    await drop('b.csv');
    await drop('c.csv');
    expect(await settle()).toBe(2);
    expect(warnings).toEqual(['a dropped file could not be taken; it is tried again']);
    stand.clock.aheadMs += 60_000;
    expect(await stand.ingest.dropFolder.look()).toBe(1);
  });

  test('of bytes bound a file: it is moved to rejected, with the reason in its receipt', async () => {
    await stand.tenants.setQuotas(tenant, { bytesPerRequest: 100 });
    await drop('large.csv');
    expect(await settle()).toBe(1);
    expect(receiptOf('large.csv', 'rejected')).toMatchObject({
      accepted: 0,
      rejects: [{ line: 0, code: 'source-too-large' }],
    });
  });
});

describe('a dropped file', () => {
  test('that stopped growing is taken through the bulk lane and moved beside its receipt', async () => {
    await drop('may.csv');
    await drop('june.csv.gz', gzipSync(csvHeader + csvLines(20, 'm2')));
    expect(await settle()).toBe(2);
    expect((await readdir(folder)).sort()).toEqual(['done']);
    expect((await readdir(join(folder, 'done'))).sort()).toEqual([
      'june.csv.gz',
      'june.csv.gz.receipt.json',
      'may.csv',
      'may.csv.receipt.json',
    ]);
    expect(receiptOf('may.csv')).toMatchObject({ accepted: 10, rejected: 0, label: 'may.csv', tenant });
    expect(receiptOf('june.csv.gz')).toMatchObject({ accepted: 20 });
    expect(stand.readings).toHaveLength(30);
    expect(stand.published.every(({ topic }) => topic === 'readings.accepted.bulk')).toBe(true);
    expect(await settle()).toBe(0);
  });

  test('that still grows, is still named *.part, is empty or hidden is left alone', async () => {
    await drop('growing.csv', csvHeader);
    await drop('upload.csv.part');
    await drop('empty.csv', '');
    await drop('.hidden.csv');
    await stand.ingest.dropFolder.look();
    await appendFile(join(folder, 'growing.csv'), csvLines(1));
    stand.clock.aheadMs += dropSteadyMs;
    expect(await stand.ingest.dropFolder.look()).toBe(0);
    expect(stand.published).toEqual([]);
    stand.clock.aheadMs += dropSteadyMs;
    expect(await stand.ingest.dropFolder.look()).toBe(1);
    expect(stand.readings).toHaveLength(1);
  });

  test('that is renamed from *.part is taken at once', async () => {
    await drop('may.csv.part');
    await stand.ingest.dropFolder.look();
    await rename(join(folder, 'may.csv.part'), join(folder, 'may.csv'));
    expect(await stand.ingest.dropFolder.look()).toBe(1);
    expect(receiptOf('may.csv')).toMatchObject({ accepted: 10 });
  });

  test('of a name that was there before gets a name of its own', async () => {
    await drop('may.csv');
    await settle();
    await drop('may.csv', csvHeader + csvLines(3));
    await settle();
    expect(receiptOf('may.csv')).toMatchObject({ accepted: 10 });
    expect(receiptOf('may.csv~2')).toMatchObject({ accepted: 3 });
    expect(readFileSync(join(folder, 'done', 'may.csv'), 'utf8')).toBe(csv);
  });

  test('with the same content once more is a further delivery of the same acceptance', async () => {
    await drop('a.csv');
    await settle();
    await drop('b.csv');
    await settle();
    const [first, second] = [receiptOf('a.csv').sourceId, receiptOf('b.csv').sourceId];
    expect([first.split('.')[0], first.split('.')[1], second.split('.')[1]]).toEqual([second.split('.')[0], '1', '2']);
  });

  test.each([
    ['a header that no mapping fits', 'x,y\n1,2\n'],
    ['a gzip that is no gzip', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8])],
    ['UTF-16', Buffer.from(`\ufeff${csv}`, 'utf16le')],
  ])('with %s is moved to rejected, with a receipt that says why', async (_, content) => {
    await drop('bad.csv', content);
    expect(await settle()).toBe(1);
    const { rejects } = receiptOf('bad.csv', 'rejected') as unknown as { rejects: { line: number; reason: string }[] };
    expect(rejects[0]).toMatchObject({ line: 0 });
    expect(rejects[0]!.reason).not.toBe('');
    expect(existsSync(join(folder, 'rejected', 'bad.csv'))).toBe(true);
    expect(existsSync(join(folder, 'done'))).toBe(false);
  });

  test('whose gzip is cut gives what can be read, and is moved to rejected', async () => {
    await drop('cut.csv.gz', gzipSync(csvHeader + csvLines(60_000)).subarray(0, -1_000));
    await settle();
    expect(receiptOf('cut.csv.gz', 'rejected').accepted).toBeGreaterThan(30_000);
  });

  test('with one bad line is rejected whole where its mapping, chosen by the header, says so', async () => {
    const mappings = new Mappings({ registry: stand.platform.registry, nowMs: () => Date.now() });
    const [meter, channel, time] = [{ column: 'zp' }, { constant: 'import' }, { column: 'zeit' }];
    const rest = { value: { column: 'wert' }, unit: { constant: 'kWh' }, onBadLine: 'reject-source' };
    await mappings.put(tenant, parseMapping({ name: 'strict', meter, channel, time, ...rest }));
    await drop('bad.csv', 'zp,zeit,wert\nm1,2024-01-01T00:00:00Z,1\nm1,2024-01-01T00:15:00Z,x\n');
    await drop('good.csv', 'zp,zeit,wert\nm1,2024-01-01T00:00:00Z,1\n');
    expect(await settle()).toBe(2);
    expect(receiptOf('bad.csv', 'rejected')).toMatchObject({ accepted: 0, rejected: 2 });
    expect(receiptOf('good.csv')).toMatchObject({ accepted: 1 });
  });

  test('of a tenant whose readings of the day are used up waits for the next', async () => {
    await stand.tenants.setQuotas(tenant, { readingsPerDay: 5 });
    await drop('a.csv');
    await settle();
    await drop('b.csv');
    expect(await settle()).toBe(0);
    expect(existsSync(join(folder, 'b.csv'))).toBe(true);
    stand.clock.aheadMs += 86_400_000;
    expect(await stand.ingest.dropFolder.look()).toBe(1);
  });
});

describe('the drop folder', () => {
  test('leaves folders of unknown tenants alone, saying so once, until there is such a tenant', async () => {
    const stranger = join(stand.platform.directory.drop, 'stranger');
    await mkdir(stranger);
    await writeFile(join(stranger, 'may.csv'), csv);
    await settle();
    await settle();
    expect(readdirSync(stranger)).toEqual(['may.csv']);
    expect(warnings.filter((warning) => warning.includes('no tenant'))).toHaveLength(1);
    await stand.tenants.create('stranger');
    expect(await settle()).toBe(1);
    expect(stand.published[0]?.batch.tenant).toBe('stranger');
  });

  test('follows no link and opens nothing but regular files', async () => {
    const secret = join(stand.root, 'secret.csv');
    await writeFile(secret, csv);
    await symlink(secret, join(folder, 'link.csv'));
    await symlink(folder, join(stand.platform.directory.drop, 'other'));
    await stand.tenants.ensure('other');
    execFileSync('mkfifo', [join(folder, 'pipe.csv')]);
    await mkdir(join(folder, 'directory.csv'));
    expect(await settle()).toBe(0);
    expect(stand.published).toEqual([]);
  });

  test('writes its receipt through no link', async () => {
    const victim = join(stand.platform.directory.drop, 'victim');
    await writeFile(victim, 'as it was');
    await mkdir(join(folder, 'done'));
    await symlink(victim, join(folder, 'done', 'may.csv.receipt.json.part'));
    await drop('may.csv');
    expect(await settle()).toBe(0);
    expect(readFileSync(victim, 'utf8')).toBe('as it was');
    await rm(join(folder, 'done', 'may.csv.receipt.json.part'));
    stand.clock.aheadMs += 60_000;
    expect(await stand.ingest.dropFolder.look()).toBe(1);
    expect(receiptOf('may.csv').accepted).toBe(10);
  });

  test('takes a file that was written to meanwhile once more, when it is steady', async () => {
    await drop('may.csv', csvHeader + csvLines(20_000));
    stand.beforePublish = async () => {
      stand.beforePublish = () => undefined;
      await appendFile(join(folder, 'may.csv'), csvLines(5, 'm9'));
    };
    expect(await settle()).toBe(0);
    expect(stand.readings).toHaveLength(20_000);
    expect(await settle()).toBe(1);
    expect(receiptOf('may.csv')).toMatchObject({ accepted: 20_005 });
  });

  test('goes on with other files when one fails, and tries that one again later', async () => {
    let fails = true;
    stand.beforePublish = () => {
      if (fails) {
        throw new Error('broken');
      }
    };
    await drop('a.csv');
    expect(await settle()).toBe(0);
    fails = false;
    await drop('b.csv', csvHeader + csvLines(3, 'm3'));
    expect(await settle()).toBe(1);
    expect(readdirSync(folder)).toContain('a.csv');
    stand.clock.aheadMs += 60_000;
    expect(await stand.ingest.dropFolder.look()).toBe(1);
  });
});

describe('a kill', () => {
  /** Ends the process at the given point; everything on the disk stays. */
  async function killed(point: (of: IngestStand) => void): Promise<void> {
    point(stand);
    await settle();
    const { root } = stand;
    await stand.end();
    stand = await IngestStand.open({ ports: { telemetry } }, root);
  }

  test('before a publish is resumed as the same source', async () => {
    await drop('may.csv');
    await killed((of) => {
      of.beforePublish = () => {
        throw new Error('killed');
      };
    });
    const [unfinished] = await stand.platform.sources.list(tenant, { limit: 10 });
    expect(await settle()).toBe(1);
    expect(receiptOf('may.csv').sourceId).toBe(unfinished?.sourceId);
    expect(stand.readings).toHaveLength(10);
  });

  test('in the midst of many batches loses none and doubles none', async () => {
    await drop('may.csv', csvHeader + csvLines(80_000));
    let publishes = 0;
    const first = stand;
    await killed((of) => {
      of.beforePublish = () => {
        publishes += 1;
        if (publishes === 2) {
          throw new Error('killed');
        }
      };
    });
    expect(await settle()).toBe(1);
    const [before, after] = [first.published.map(({ key }) => key), stand.published.map(({ key }) => key)];
    expect(before.length).toBeGreaterThan(0);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after).size).toBe(20);
    expect(await stand.platform.sources.list(tenant, { limit: 10 })).toHaveLength(1);
  });

  test.each(['before the receipt is written', 'between receipt and move'])(
    '%s finds the finished delivery',
    async (when) => {
      await drop('may.csv');
      const path = join(folder, 'may.csv');
      const aside = join(stand.root, 'aside');
      await settle();
      // The state on the disk as it is at that moment: closed, and the file still where it was dropped, the same inode.
      await rename(join(folder, 'done', 'may.csv'), aside);
      await rename(aside, path);
      if (when.startsWith('before')) {
        await rm(join(folder, 'done'), { recursive: true });
      }
      const { root, published } = stand;
      await stand.end();
      stand = await IngestStand.open({ ports: { telemetry } }, root);
      expect(await settle()).toBe(1);
      expect(stand.published).toEqual([]);
      expect(published).toHaveLength(1);
      expect(await stand.platform.sources.list(tenant, { limit: 10 })).toHaveLength(1);
      expect(receiptOf('may.csv')).toMatchObject({ accepted: 10 });
      expect(readdirSync(join(folder, 'done')).sort()).toEqual(['may.csv', 'may.csv.receipt.json']);
    },
  );

  test('of the bus for a moment is waited out', async () => {
    let failures = 2;
    stand.beforePublish = () => {
      if (failures-- > 0) {
        throw new TransientError('down');
      }
    };
    await drop('may.csv');
    expect(await settle()).toBe(1);
  });

  test('leaves a copy of a taken file to be a delivery of its own', async () => {
    await drop('may.csv');
    await settle();
    await copyFile(join(folder, 'done', 'may.csv'), join(folder, 'may.csv'));
    await settle();
    expect(await stand.platform.sources.list(tenant, { limit: 10 })).toHaveLength(2);
  });
});

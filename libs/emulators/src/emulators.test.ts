import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  findPart,
  requirePart,
  skippedWithout,
  startBigtableEmulator,
  startPubsubEmulator,
  startRedis,
  startRedisCluster,
  type PartName,
  type RunningPart,
} from './index.ts';
import { askRedis } from './redis-command.ts';
import { startPart } from './start-part.ts';

async function listens({ host, port }: RunningPart): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !holds(); turn += 1) {
    await sleep(10);
  }
  expect(holds()).toBe(true);
}

const starts: Record<PartName, () => Promise<RunningPart>> = {
  'pubsub-emulator': startPubsubEmulator,
  'bigtable-emulator': startBigtableEmulator,
  redis: startRedis,
};
const partNames = Object.keys(starts) as PartName[];

for (const name of partNames) {
  describe.skipIf(skippedWithout(name))(`a started part [needs ${name}]`, () => {
    test('listens until it is stopped, and two stand beside each other', async () => {
      const [first, second] = await Promise.all([starts[name](), starts[name]()]);
      expect(first.port).not.toBe(second.port);
      expect([await listens(first), await listens(second)]).toEqual([true, true]);
      await first.stop();
      expect([await listens(first), isAlive(first.pid), await listens(second)]).toEqual([false, false, true]);
      await second.kill();
      expect([await listens(second), isAlive(second.pid)]).toEqual([false, false]);
    });

    test('is ended, and its folder removed, when whoever started it is killed', async () => {
      const starter = spawn(process.execPath, [join(import.meta.dirname, 'testing/start-and-wait.ts'), name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await once(starter.stdout, 'data')) as [Buffer];
      const { pid, folder } = JSON.parse(said.toString()) as { pid: number; folder: string };
      expect([isAlive(pid), existsSync(folder)]).toEqual([true, true]);
      starter.kill('SIGKILL');
      await eventually(() => !isAlive(pid) && !existsSync(folder));
    });
  });
}

describe.skipIf(skippedWithout('redis'))('redis-server [needs redis]', () => {
  test('takes options, and comes back empty on its old port', async () => {
    const first = await startRedis({ args: ['--maxmemory', '4mb'] });
    expect(await askRedis(first, 'CONFIG GET maxmemory')).toContain('4194304');
    await askRedis(first, 'SET key value');
    await first.kill();
    const again = await startRedis({ port: first.port });
    expect(again.port).toBe(first.port);
    expect(await askRedis(again, 'DBSIZE')).toContain(':0');
    await again.stop();
  });

  test('forms a cluster of three that shares the slots', async () => {
    const cluster = await startRedisCluster();
    const [first, second] = cluster.nodes as [RunningPart, RunningPart];
    expect(await askRedis(second, 'CLUSTER KEYSLOT a')).toContain(':15495');
    await expect(askRedis(first, 'SET a 1')).rejects.toThrow('MOVED 15495');
    await cluster.stop();
    expect(cluster.nodes.map(({ pid }) => isAlive(pid))).toEqual([false, false, false]);
  });

  test('what does not start is an error that tells what it printed', async () => {
    const start = startPart({
      command: requirePart('redis').command,
      args: () => ['--no-such-option'],
      ready: /never/,
    });
    await expect(start).rejects.toThrow(/did not start[\s\S]*no-such-option/);
  });
});

describe('finding a part', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'meterflow-find-'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function command(file: string): string {
    const path = join(root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    chmodSync(path, 0o755);
    return path;
  }

  test('takes what is on PATH', () => {
    const file = command('bin/redis-server');
    expect(findPart('redis', { PATH: join(root, 'bin') })).toEqual({ name: 'redis', command: file });
    expect(findPart('redis', { PATH: join(root, 'other') })).toBeUndefined();
  });

  test('looks into the SDK that the gcloud on PATH belongs to, through a link', () => {
    const gcloud = command('sdk/bin/gcloud');
    const emulator = command('sdk/platform/bigtable-emulator/cbtemulator');
    mkdirSync(join(root, 'bin'));
    symlinkSync(gcloud, join(root, 'bin/gcloud'));
    expect(findPart('bigtable-emulator', { PATH: join(root, 'bin') })?.command).toBe(emulator);
  });

  test('an emulator that runs on Java is not there without it', () => {
    command('bin/cloud-pubsub-emulator');
    const path = { PATH: join(root, 'bin') };
    expect(findPart('pubsub-emulator', path)).toBeUndefined();
    command('jre/java');
    expect(findPart('pubsub-emulator', { PATH: [join(root, 'bin'), join(root, 'jre')].join(delimiter) })).toBeDefined();
  });

  test('the start of an absent one is an error that says how to get it', async () => {
    vi.stubEnv('PATH', root);
    await expect(startRedis().finally(() => vi.unstubAllEnvs())).rejects.toThrow('apt-get install redis-server');
  });

  test('what is absent is skipped, but never in CI', () => {
    expect(skippedWithout('redis', { PATH: root })).toBe(true);
    expect(skippedWithout('redis', { PATH: root, CI: 'true' })).toBe(false);
    command('redis-server');
    expect(skippedWithout('redis', { PATH: root })).toBe(false);
  });
});

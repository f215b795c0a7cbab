import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentTelemetry, systemClock } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServiceProcess, ServiceStartError } from './service-process.ts';

let folder: string;
let service: ServiceProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meterflow-service-'));
});

afterEach(async () => {
  await service?.stop(1_000);
  rmSync(folder, { recursive: true });
});

/** A service that is this script; `runs` counts its runs, and `say` tells its supervisor. */
function started(script: string): ServiceProcess {
  const entry = join(folder, 'service.mjs');
  const counted = `
    import { spawn } from 'node:child_process';
    import { existsSync, readFileSync, writeFileSync } from 'node:fs';
    const file = ${JSON.stringify(join(folder, 'runs'))};
    const runs = 1 + Number(existsSync(file) ? readFileSync(file, 'utf8') : 0);
    writeFileSync(file, String(runs));
    const say = (message) => new Promise((done) => process.send(message, done));
    setInterval(() => process.send({ type: 'alive', stuck: false }), 100);
  `;
  writeFileSync(entry, `${counted}${script}`);
  service = new ServiceProcess(
    { name: 'tested', entry, env: { PATH: process.env['PATH'] ?? '' } },
    { clock: systemClock, logger: silentTelemetry.logger, silenceMsMax: 10_000, onEnd: () => 0 },
  );
  return service;
}

function runs(): number {
  return existsSync(join(folder, 'runs')) ? Number(readFileSync(join(folder, 'runs'), 'utf8')) : 0;
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let look = 0; look < 1_000 && !holds(); look += 1) {
    await sleep(10);
  }
  expect(holds()).toBe(true);
}

test('a service that was up and then fails at three starts in a row is given up, with its own words', async () => {
  const tested = started(`
    if (runs > 1) {
      await say({ type: 'failed', reason: 'the store is damaged' });
      process.exit(1);
    }
    await say({ type: 'ready' });
    setTimeout(() => process.exit(0), 100);
  `);
  await tested.ready();
  await expect(tested.givenUp).rejects.toThrow(ServiceStartError);
  await expect(tested.givenUp).rejects.toThrow("tested can't start: the store is damaged (tried 3 times)");
  expect(runs()).toBe(4);
});

test('one that is ready for a moment each time is given up as well', async () => {
  const tested = started(`
    await say({ type: 'ready' });
    await say({ type: 'failed', reason: 'the store is damaged' });
    process.exit(1);
  `);
  await expect(tested.givenUp).rejects.toThrow('the store is damaged (tried 3 times)');
});

test('one whose failure may pass is started until it has passed', async () => {
  const tested = started(`
    if (runs > 1 && runs < 6) {
      await say({ type: 'failed', reason: 'the bus does not answer', mayPass: true });
      process.exit(1);
    }
    await say({ type: 'ready' });
    if (runs === 1) {
      process.exit(0);
    }
  `);
  await tested.ready();
  await eventually(() => runs() === 6 && tested.notLive === undefined);
});

test('one that is killed again and again has not failed', async () => {
  const tested = started(`await say({ type: 'ready' });`);
  for (let kills = 1; kills <= 4; kills += 1) {
    await eventually(() => tested.pid !== undefined && runs() === kills && tested.notLive === undefined);
    process.kill(tested.pid as number, 'SIGKILL');
  }
  await eventually(() => runs() === 5 && tested.notLive === undefined);
});

test.skipIf(process.platform === 'win32')(
  'what it started ends with it, also what stands still and can not notice',
  async () => {
    const tested = started(`
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      child.kill('SIGSTOP');
      writeFileSync(${JSON.stringify(join(folder, 'child'))} + runs, String(child.pid));
      await say({ type: 'ready' });
    `);
    await tested.ready();
    const child = Number(readFileSync(join(folder, 'child1'), 'utf8'));
    process.kill(tested.pid as number, 'SIGKILL');
    await eventually(() => !isThere(child));
  },
);

function isThere(pid: number): boolean {
  try {
    // Signal 0 finds zombies too.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false;
  } catch {
    return false;
  }
}

import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, signalProcess, type TreeProcess } from './process-tree.ts';
import { seededRandom } from './random.ts';
import { DevServer, feed, idle } from './run-dev.ts';
import { temporaryRun, type TemporaryRun } from './testing/temporary-run.ts';
import { until } from './until.ts';

const services = ['ingest', 'rule-execution', 'persistence', 'aggregation', 'control'];

let run: TemporaryRun;

beforeEach(() => {
  run = temporaryRun();
});

afterEach(() => {
  run.remove();
});

test(
  'a service that is stuck while messages wait is noticed, told by /livez, and replaced without loss',
  { timeout: 900_000 },
  async () => {
    const { dataDir, pieces } = run;
    const server = new DevServer(dataDir, { METERFLOW_SILENCE_MS: '5000' });
    try {
      await server.up();
      const { url } = JSON.parse((await server.current.firstLine()) ?? '{}') as { url: string };
      const feeding = feed({ dataDir, pieces, random: seededRandom(41) });
      for (const service of services) {
        const wedged = await until(`${service} runs`, () => server.current.tree().find(({ name }) => name === service));
        expect(signalProcess(wedged, 'SIGSTOP')).toBe(true);
        await until(`/livez names ${service}`, async () => {
          const answer = await fetch(`${url}/livez`);
          return (answer.status === 503 && (await answer.text()).includes(service)) || undefined;
        });
        await until(`${service} is killed`, () => !isAlive(wedged) || undefined);
        await until(
          `another ${service} runs, and all is well`,
          async () => (await fetch(`${url}/livez`)).status === 200 || undefined,
        );
      }
      await feeding.finish();
      await idle(dataDir);
      expect(server.starts).toBe(1);
      expect(await server.stop()).toBe(0);
    } finally {
      server.killAll();
    }
    expect(await run.faults()).toEqual([]);
  },
);

test('a stage whose handler never answers is replaced, and what it held is handled', { timeout: 600_000 }, async () => {
  const { dataDir, pieces } = run;
  // The sandbox's own watchdog is more patient than this supervisor: to the stage its call never ends.
  const server = new DevServer(dataDir, { METERFLOW_STUCK_MS: '1000', METERFLOW_SILENCE_MS: '3000' });
  const find = (service: string): TreeProcess | undefined => server.current.tree().find(({ name }) => name === service);
  try {
    await server.up();
    const sandbox = await until('a sandbox runs', () => find('sandbox'));
    const stage = await until('the stage runs', () => find('rule-execution'));
    signalProcess(sandbox, 'SIGSTOP');
    const feeding = feed({ dataDir, pieces, random: seededRandom(43) });
    await until('the stuck stage is killed', () => !isAlive(stage) || undefined);
    await until('its sandbox, which stands still, is ended with it', () => !isAlive(sandbox) || undefined);
    await feeding.finish();
    await idle(dataDir);
    expect(
      server.log.some(({ message, service }) => message === 'service is stuck; killed' && service === 'rule-execution'),
    ).toBe(true);
    expect(await server.stop()).toBe(0);
  } finally {
    server.killAll();
  }
  expect(await run.faults()).toEqual([]);
});

test('a sandbox that hangs is replaced; its rule is not to blame', { timeout: 600_000 }, async () => {
  const { dataDir, pieces } = run;
  const server = new DevServer(dataDir);
  try {
    await server.up();
    const feeding = feed({ dataDir, pieces, random: seededRandom(42) });
    const wedged = await until('a sandbox runs', () => server.current.tree().find(({ name }) => name === 'sandbox'));
    signalProcess(wedged, 'SIGSTOP');
    await feeding.finish();
    await idle(dataDir);
    expect(await server.stop()).toBe(0);
    expect(isAlive(wedged)).toBe(false);
  } finally {
    server.killAll();
  }
  expect(await run.faults()).toEqual([]);
});

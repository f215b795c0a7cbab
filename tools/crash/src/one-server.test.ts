import { afterEach, beforeEach, expect, test } from 'vitest';
import { MeterflowCommand } from './command.ts';
import { signalProcess } from './process-tree.ts';
import { seededRandom } from './random.ts';
import { DevServer, feed, idle } from './run-dev.ts';
import { temporaryRun, type TemporaryRun } from './testing/temporary-run.ts';
import { until } from './until.ts';

let run: TemporaryRun;
const commands: { killAll(): unknown }[] = [];

beforeEach(() => {
  run = temporaryRun();
});

afterEach(() => {
  commands.splice(0).forEach((command) => command.killAll());
  run.remove();
});

function start(): MeterflowCommand {
  const command = new MeterflowCommand({ args: ['dev', '--port', '0'], dataDir: run.dataDir });
  commands.push(command);
  return command;
}

test('a second server on the directory is refused, and told whom to stop', { timeout: 300_000 }, async () => {
  const first = start();
  expect(await first.firstLine()).toContain('"url"');
  const second = start();
  expect(await second.ended()).toEqual({ code: 1, signal: null });
  expect(second.errors).toContain(
    `Another meterflow server (process ${first.pid}) is running on ${run.dataDir}. Stop it first`,
  );
  first.terminate();
  expect(await first.ended()).toEqual({ code: 0, signal: null });
});

test(
  'after SIGKILL to a supervisor its services end by themselves, and the next server starts at once',
  { timeout: 600_000 },
  async () => {
    const { dataDir, pieces } = run;
    const first = start();
    await first.firstLine();
    const feeding = feed({ dataDir, pieces, random: seededRandom(51) });
    await until('the sandbox runs', () => first.tree().find(({ name }) => name === 'sandbox'));
    const supervisor = first.tree().find(({ name }) => name === 'supervisor');
    expect(supervisor === undefined ? false : signalProcess(supervisor, 'SIGKILL')).toBe(true);
    await first.ended();

    const second = new DevServer(dataDir);
    commands.push(second);
    await second.up();
    await until('the orphans have ended', () => first.alive().length === 0 || undefined, { withinMs: 20_000 });
    await feeding.finish();
    await idle(dataDir);
    expect(await second.stop()).toBe(0);
    expect(await run.faults()).toEqual([]);
  },
);

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Lifecycle } from './lifecycle.ts';
import { signalEchoMs, stopWithProcess } from './stop-with-process.ts';
import { describeDrain, ManualTimers, ScriptedProcess } from './testing/index.ts';

const silent = { info: () => undefined, error: () => undefined };

function setUp(options = { hasParent: false }) {
  const timers = new ManualTimers();
  const process = new ScriptedProcess(options);
  const lifecycle = new Lifecycle({ timers, log: silent });
  const untie = stopWithProcess(lifecycle, { process, timers, log: silent, drainMs: 10_000 });
  return { timers, process, lifecycle, untie };
}

const stuck = (): Promise<void> => new Promise(() => undefined);

describe('a process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and exits with 0', async (signal) => {
    const { process, lifecycle } = setUp();
    lifecycle.started();
    process.send(signal);
    expect(lifecycle.ready).toBe(false);
    await lifecycle.ended;
    expect(process.exits).toEqual([0]);
  });

  test('exits at once, not with 0, on a second signal', () => {
    const { timers, process, lifecycle } = setUp();
    lifecycle.register('stage', stuck);
    process.send('SIGTERM');
    timers.pass(signalEchoMs + 1);
    process.send('SIGINT');
    expect(process.exits).toEqual([130]);
  });

  test('takes the echo of a signal for the signal itself', () => {
    const { timers, process, lifecycle } = setUp();
    lifecycle.register('stage', stuck);
    process.send('SIGINT');
    timers.pass(signalEchoMs);
    process.send('SIGINT');
    expect(process.exits).toEqual([]);
  });

  test('leaves SIGINT to its parent, and drains on its SIGTERM', async () => {
    const { process, lifecycle } = setUp({ hasParent: true });
    lifecycle.started();
    process.send('SIGINT');
    expect(lifecycle.ready).toBe(true);
    process.send('SIGTERM');
    await lifecycle.ended;
    expect(process.exits).toEqual([0]);
  });

  test('stops fast when its parent is gone, also in the middle of a long drain', async () => {
    const { timers, process, lifecycle } = setUp({ hasParent: true });
    lifecycle.register('stage', stuck);
    process.send('SIGTERM');
    process.loseParent();
    timers.pass(2_000);
    await lifecycle.ended;
    expect(process.exits).toEqual([124]);
  });

  test('is left alone once untied', () => {
    const { process, lifecycle, untie } = setUp();
    lifecycle.started();
    untie();
    process.send('SIGTERM');
    expect(lifecycle.ready).toBe(true);
  });
});

const programs = {
  service: fileURLToPath(new URL('testing/service.ts', import.meta.url)),
  parent: fileURLToPath(new URL('testing/parent.ts', import.meta.url)),
};

function start(...args: string[]) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
    listeners.forEach((check) => {
      check();
    });
  });
  const said = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve) => {
      const check = (): void => {
        const match = pattern.exec(output);
        if (match !== null) {
          listeners.delete(check);
          resolve(match);
        }
      };
      listeners.add(check);
      check();
    });
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return { pid: child.pid as number, said, exited, output: () => output };
}

describeDrain('a real process', {
  drainMs: 200,
  start(work) {
    const child = start(programs.service, work, '200');
    return { pid: child.pid, ready: child.said(/^ready$/m).then(() => undefined), exited: child.exited };
  },
});

describe('a real process', () => {
  test('closes in reverse order, not ready from the start of the drain', async () => {
    const child = start(programs.service, 'short', '5000');
    await child.said(/^ready$/m);
    process.kill(child.pid, 'SIGTERM');
    expect(await child.exited).toBe(0);
    expect(child.output()).toMatch(/closing stage, ready false\nclosed stage\nclosed store\n/);
  });

  test('exits at once on a second signal', async () => {
    const child = start(programs.service, 'stuck', '60000');
    await child.said(/^ready$/m);
    process.kill(child.pid, 'SIGTERM');
    await child.said(/info draining/);
    await new Promise((resolve) => setTimeout(resolve, signalEchoMs + 50));
    process.kill(child.pid, 'SIGTERM');
    expect(await child.exited).toBe(143);
  });

  test('ends soon after its parent was killed', async () => {
    const parent = start(programs.parent, programs.service);
    await parent.said(/^ready$/m);
    process.kill(parent.pid, 'SIGKILL');
    // The child holds the parent's standard output: it closes when the child is gone too.
    expect(await parent.exited).toBe('SIGKILL');
    expect(parent.output()).toContain('the drain took too long');
  });
});

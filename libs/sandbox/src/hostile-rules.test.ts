import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { change, flowOf, type FlowResult } from '@meterflow/rules';
import { flowOfBody, ruleOf, sampleBatch } from '@meterflow/rules/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { confinement } from './confinement.ts';
import { IsolatedSandbox, type Isolation } from './index.ts';
import { besideOthers, expectStopped } from './testing/beside-others.ts';

const honest = flowOfBody('reading.value *= 1000; reading.unit = "Wh"');

describe('hostile rules leave other tenants running', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    const limits = { batchCpuMsMax: 100, residentBytesMax: 400 * 1024 * 1024 };
    sandbox = new IsolatedSandbox({ limits });
  });
  afterAll(() => sandbox.close());

  test.each([
    ['an endless loop', 'while (true);'],
    ['catastrophic back-tracking', `/^(a+)+$/.test('a'.repeat(40) + 'b')`],
    ['arrays without end', 'const all = []; for (;;) all.push(new Array(1000).fill(0))'],
    ['a BigInt power', '7n ** (7n ** 9n)'],
  ])('%s is stopped, and its version is in quarantine', async (_, body) => {
    await expectStopped(sandbox, body);
  });

  test('buffers without end fail the readings or the rule, and nobody else', async () => {
    const outcome = await besideOthers(sandbox, 'const all = []; for (;;) all.push(new Uint8Array(2 ** 20).fill(1))');
    expect('any' in outcome ? outcome.any : outcome.code).toSatisfy(
      (seen) => seen === change.failed || seen === 'rule-killed-its-host' || seen === 'rule-timed-out',
    );
  });

  test.each([
    ['deep recursion', 'const f = () => f() + 1; f()'],
    ['mutual recursion through JSON', 'const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o)'],
    ['a throw', 'throw new Error("no")'],
    ['a throw of nothing', 'throw undefined'],
    ['a throw of a text', 'throw "text"'],
    ['a throw of something unprintable', 'throw { toString() { throw 1; } }'],
    ['a proxy thrown', 'throw new Proxy({}, { get() { throw new Error("trap"); } })'],
    ['a thenable returned', 'return { then(done) { done(); } }'],
    ['an async rejection', 'return (async () => { throw new Error("x"); })()'],
    ['a write to a prototype', 'Object.prototype.polluted = 1'],
    ['a write to an array method', 'Array.prototype.push = () => 0'],
    ['a definition on a prototype', 'Object.defineProperty(Object.prototype, "value", { get: () => 666 })'],
    ['a new global', 'globalThis.memory = 1'],
    ['a global without declaration', 'memory = 1'],
    ['a foreign prototype for the reading', 'Object.setPrototypeOf(reading, { value: 1 })'],
    ['a new field on the reading', 'reading.memory = 1'],
    ['another meter', 'reading.meter = "other"'],
    ['another start', 'reading.startMs = 0'],
    ['eval', 'eval("1")'],
    ['Function', 'Function("return 1")()'],
    ['the constructor of a function', '(() => {}).constructor("return 1")()'],
    ['the constructor of a generator function', '(function* () {}).constructor("return 1")()'],
    ['the constructor of an async function', '(async () => {}).constructor("return 1")()'],
    ['the constructor of a method of the reading', 'reading.annotate.constructor("return process")()'],
    ['the constructor chain to the host', 'this.constructor.constructor("return process")().exit()'],
    ['process', 'process.exit(1)'],
    ['require', 'require("node:fs")'],
    ['the clock', 'reading.value = Date.now()'],
    ['a date of now', 'new Date()'],
    ['a date of now by another door', 'new (new Date(0).constructor)()'],
    ['a date of now as text', 'Date()'],
    ['randomness', 'Math.random()'],
    ['SharedArrayBuffer', 'new SharedArrayBuffer(8)'],
    ['Atomics', 'Atomics.wait(new Int32Array(4), 0, 0)'],
    ['WebAssembly', 'new WebAssembly.Memory({ initial: 1 })'],
    ['timers', 'setTimeout(() => {}, 0)'],
    ['weak references', 'new WeakRef({})'],
    ['the locale', '(1.5).toLocaleString()'],
    ['Intl', 'new Intl.DateTimeFormat()'],
    ['prepareStackTrace', 'Error.prepareStackTrace = () => { throw 1; }'],
    ['a change of its parameters', 'context.parameters.x = 1'],
  ])('%s only fails the readings', async (_, body) => {
    const outcome = await besideOthers(sandbox, body);
    expect(outcome).not.toBeInstanceOf(Error);
    const { any, changes } = outcome as FlowResult;
    expect(any).toBe(change.failed);
    expect([...changes]).toEqual([64, 64, 64, 64]);
  });

  test.each([
    ['import() gives nothing', 'import("node:fs").then((fs) => fs.writeFileSync("/tmp/escaped", ""))'],
    [
      'a promise left alone does nothing',
      '(async () => { await null; reading.value = 666; reading.reject("late") })()',
    ],
    ['a frozen reading stays usable', 'Object.freeze(reading)'],
    [
      'an error with a name of its own can be made',
      'class Mine extends Error { constructor() { super("x"); this.name = "Mine"; } } new Mine()',
    ],
    ['an object may have a toString of its own', 'const o = {}; o.toString = () => "x"; String(o)'],
  ])('%s', async (_, body) => {
    expect(await besideOthers(sandbox, body)).toMatchObject({ any: 0 });
  });

  test('what an isolate leaves behind is seen by no other', async () => {
    await besideOthers(
      sandbox,
      'try { Object.prototype.leak = 1; Math.leak = 1; RegExp.leak = 1; } catch {} /(a)/.test("a"); RegExp.$1',
    );
    const seen = await sandbox.run(
      flowOfBody('if ({}.leak || Math.leak || RegExp.leak || RegExp.$1) reading.reject("leak")'),
      sampleBatch(),
    );
    expect(seen.any).toBe(0);
  });

  test('the guilty rule of a flow is found, the innocent one is not in quarantine', async () => {
    const innocent = ruleOf('reading.value += 1', 'innocent');
    const guilty = ruleOf('if (reading.value > 2) for (;;);', 'guilty');
    const flow = flowOf('both', [
      { rule: innocent, parameters: {} },
      { rule: guilty, parameters: {} },
    ]);
    await expect(sandbox.run(flow, sampleBatch())).rejects.toThrow(/"guilty"/);
    expect(sandbox.quarantined).toContain(guilty.id);
    expect(sandbox.quarantined).not.toContain(innocent.id);
    const alone = await sandbox.run(flowOf('alone', [{ rule: innocent, parameters: {} }]), sampleBatch());
    expect([...alone.values]).toEqual([1, 2.5, 0.75, 13]);
  });

  test('a version that one tenant made kill its host is in quarantine for that tenant alone', async () => {
    const shared = flowOfBody('if (reading.value > 100) for (;;); reading.value += 1');
    const hanging = sampleBatch({ tenant: 'hostile', integers: [200_000] });
    await expect(sandbox.run(shared, hanging)).rejects.toThrow(/quarantine/);
    await expect(sandbox.run(shared, sampleBatch({ tenant: 'hostile' }))).rejects.toThrow(/quarantine/);
    const { values } = await sandbox.run(shared, sampleBatch({ tenant: 'other' }));
    expect([...values]).toEqual([1, 2.5, 0.75, 13]);
  });
});

describe('a child that is killed from outside', () => {
  test('harms no rule: its batches are run again with the same results', async () => {
    const sandbox = new IsolatedSandbox();
    const slow = flowOfBody('let sum = 0; for (let i = 0; i < 3e5; i++) sum += i % 7; reading.value = sum');
    const undisturbed = await sandbox.run(slow, sampleBatch());
    for (let round = 0; round < 2; round++) {
      const runs = Array.from({ length: 4 }, (_, index) =>
        sandbox.run(slow, sampleBatch({ tenant: `tenant-${index}` })),
      );
      await sleep(2 + round * 5);
      sandbox.childPids.forEach((pid) => process.kill(pid, 'SIGKILL'));
      for (const result of await Promise.all(runs)) {
        expect(result).toEqual(undisturbed);
      }
    }
    expect(sandbox.quarantined).toEqual([]);
    await sandbox.close();
  });

  test('SIGINT and SIGTERM to the whole group do not end it', async () => {
    const sandbox = new IsolatedSandbox();
    await sandbox.run(honest, sampleBatch());
    const pids = sandbox.childPids;
    pids.forEach((pid) => process.kill(pid, 'SIGINT'));
    pids.forEach((pid) => process.kill(pid, 'SIGTERM'));
    await sandbox.run(honest, sampleBatch());
    expect(sandbox.childPids).toEqual(pids);
    await sandbox.close();
  });
});

describe('the child process', () => {
  test('has no environment, no descriptor but its pipes, and stands in no folder of ours', async () => {
    process.env['METERFLOW_SECRET'] = 'secret';
    const sandbox = new IsolatedSandbox();
    await sandbox.run(honest, sampleBatch());
    const [pid] = sandbox.childPids;
    const environment = readFileSync(`/proc/${pid ?? 0}/environ`, 'latin1');
    const folder = readlinkSync(`/proc/${pid ?? 0}/cwd`);
    const files = readdirSync(`/proc/${pid ?? 0}/fd`).map((fd) => readlinkSync(`/proc/${pid ?? 0}/fd/${fd}`));
    await sandbox.close();
    delete process.env['METERFLOW_SECRET'];
    expect(environment.split('\0').filter((line) => line !== '')).toEqual(['TZ=UTC']);
    expect(folder).toBe('/');
    expect(files.filter((file) => !/^(?:socket|pipe|anon_inode):|^\/dev\/null$/.test(file))).toEqual([]);
    expect(files.filter((file) => file.startsWith('socket:'))).toHaveLength(3);
  });

  test('has no network, files or privileges where the kernel lets us take them, and nothing else is claimed', async () => {
    const told = Promise.withResolvers<Isolation | undefined>();
    const sandbox = new IsolatedSandbox({ onIsolation: told.resolve });
    await sandbox.run(honest, sampleBatch());
    const isolation = await told.promise;
    const [pid = 0] = sandbox.childPids;
    const devices = readFileSync(`/proc/${pid}/net/dev`, 'latin1').match(/^ *\w+(?=:)/gm);
    const means = confinement().join(' ');
    await sandbox.close();
    expect(isolation).toEqual({
      network: means.includes('unshare'),
      files: means.includes('ulimit -f 0'),
      privileges: means.includes('--user') || means.includes('--bounding-set'),
    });
    expect(means.includes('unshare') ? devices?.map((name) => name.trim()) : ['lo']).toEqual(['lo']);
  });

  test.each([
    ['idle', 'reading.value = 1'],
    ['in an endless loop', 'for (;;);'],
  ])('ends when its parent is killed while it is %s', async (_, body) => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, 'testing/parent.ts'), body], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const childPid = Number(String(line));
    expect(isAlive(childPid)).toBe(true);
    await sleep(100);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !isAlive(childPid), { timeout: 10_000, interval: 20 });
  });
});

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

describe('texts without end', () => {
  test.each([
    ['in a reason', 'for (let i = 0; i < 70_000; i++) { try { reading.annotate("r" + i); } catch {} }'],
    ['in a method', 'for (let i = 0; i < 70_000; i++) reading.method = "m" + i'],
    ['that are long', 'for (let i = 0; i < 20_000; i++) reading.method = String(i).padStart(200, "x")'],
  ])('%s fail the batch, and no text of another reading is mixed up', async (_, body) => {
    const sandbox = new IsolatedSandbox();
    const outcome = await besideOthers(sandbox, body);
    expect(outcome).toMatchObject({ code: 'rule-returned-nonsense' });
    expect((outcome as Error).message).toContain('more different texts');
    await sandbox.close();
  });
});

test('a rule can not pretend to have been timed out', async () => {
  const sandbox = new IsolatedSandbox();
  const rule = ruleOf('', 'pretends');
  const source = `const seen = {};\n${rule.source.replace('onReading', 'get onReading() { throw { message: "Script execution timed out." }; }, unused')}`;
  const run = sandbox.run(flowOf('pretends', [{ rule: { ...rule, source }, parameters: {} }]), sampleBatch());
  await expect(run).rejects.toMatchObject({ name: 'RuleFailureError' });
  expect(sandbox.quarantined).toEqual([]);
  await sandbox.close();
});

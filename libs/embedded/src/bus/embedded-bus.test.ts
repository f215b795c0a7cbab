import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '@meterflow/stage';
import { describeBus, type BusUnderTest } from '@meterflow/stage/testing';
import { dataDirectory } from '../data-directory.ts';
import { openBus, type EmbeddedBus } from './embedded-bus.ts';

const ackDeadlineMs = 10_000;
const holdLeases = join(import.meta.dirname, '../testing/hold-leases.ts');

describeBus('EmbeddedBus', () => {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-bus-'));
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const open = (owner: string): EmbeddedBus => openBus({ directory: dataDirectory(root), clock, owner });

  const bus = openBus({
    directory: dataDirectory(root),
    clock,
    owner: 'test',
    topology: {
      topics: ['first', 'second'],
      subscriptions: [
        { name: 'one', topic: 'first', from: 'start' },
        { name: 'other', topic: 'first', from: 'start' },
      ],
    },
  });

  const underTest: BusUnderTest = {
    ackDeadlineMs,
    nowMs: () => clock.nowMs(),
    advance: (ms) => {
      aheadMs += ms;
      return Promise.resolve();
    },
    connect: (owner) => {
      const own = open(owner);
      return Promise.resolve({
        publisher: own.publisher,
        source: (subscription) => Promise.resolve(own.source(subscription, { ackDeadlineMs })),
        replay: (subscription, fromMs) => {
          own.replay({ subscription, fromMs });
          return Promise.resolve();
        },
        close: () => own.close(),
      });
    },
    subscribe: (name, from) => {
      bus.declareSubscription({ name, topic: 'first', from });
      return Promise.resolve();
    },
    dieHoldingLeases: async (published) => {
      const payloads = published.map((payload) => Buffer.from(payload).toString('base64'));
      const child = spawn(process.execPath, [holdLeases, root, 'child', String(ackDeadlineMs), ...payloads], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      child.kill('SIGKILL');
      await once(child, 'exit');
      return Number(said.toString());
    },
    close: async () => {
      await bus.close();
      rmSync(root, { recursive: true });
    },
  };
  return Promise.resolve(underTest);
});

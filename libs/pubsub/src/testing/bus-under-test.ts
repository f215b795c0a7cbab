import { systemClock, type Clock } from '@meterflow/stage';
import type { BusUnderTest } from '@meterflow/stage/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PubsubBus, type PubsubLimits } from '../index.ts';
import { SharedEpochs } from './shared-epochs.ts';

const holdLeases = join(import.meta.dirname, 'hold-leases.ts');

export interface Server {
  readonly address: string;
  /** Without it time is the machine's and `advance` waits. */
  readonly clock?: Clock;
  advance(ms: number): Promise<void>;
  readonly ackDeadlineMs: number;
  readonly nackDelayMs?: number;
}

const testLimits: Partial<PubsubLimits> = { epochCacheMs: 20, pullGraceMs: 20, ackTimeoutMs: 1_000 };
let projects = 0;

/** An empty bus: a project of its own on the server. */
export async function busUnderTest(server: Server): Promise<BusUnderTest> {
  const { address: emulator, ackDeadlineMs, clock = systemClock } = server;
  const projectId = `test-${(projects += 1)}`;
  const epochs = new SharedEpochs();
  const connect = (): PubsubBus => new PubsubBus({ projectId, emulator, epochs, clock, limits: testLimits });
  const bus = connect();
  const provisioning = bus.provisioning({ ackDeadlineMs, retentionMs: 24 * 60 * 60 * 1_000 });
  await provisioning.provision([
    { topic: 'first', subscriptions: ['one', 'other'] },
    { topic: 'second', subscriptions: [] },
  ]);
  return {
    ackDeadlineMs,
    ...(server.nackDelayMs !== undefined && { nackDelayMs: server.nackDelayMs }),
    countsDeliveries: false,
    nowMs: () => clock.nowMs(),
    advance: (ms) => server.advance(ms),
    connect: () => {
      const own = connect();
      return Promise.resolve({
        publisher: own.publisher,
        source: (subscription) => Promise.resolve(own.source(subscription, { ackDeadlineMs })),
        replay: (subscription, fromMs) => own.replay.replay({ subscription, fromMs }),
        close: () => own.close(),
      });
    },
    subscribe: async (name, from) => {
      await provisioning.subscription({ name, topic: 'first', from });
    },
    dieHoldingLeases: async (published) => {
      const payloads = published.map((payload) => Buffer.from(payload).toString('base64'));
      const child = spawn(process.execPath, [holdLeases, projectId, emulator, String(ackDeadlineMs), ...payloads], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      child.kill('SIGKILL');
      await once(child, 'exit');
      return Number(said.toString());
    },
    close: () => bus.close(),
  };
}

import { runStage, silentTelemetry, stageLimits, TransientError, type Stage, type StagePorts } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StrictWorld } from './testing/strict-world.ts';

let world: StrictWorld;

beforeEach(async () => {
  world = await StrictWorld.open();
});

afterEach(() => world.close());

const ackDeadlineMs = 10_000;
const text = new TextDecoder();
// Nothing but the bus keeps a message from being handled twice.
const down = (): Promise<never> => Promise.reject(new TransientError('down'));
const noDeduper = { claim: down, renew: down, done: down, release: down, markHandling: down, forget: down };

test('processes that are drained one after the other under load handle every message once', async () => {
  const all = Array.from({ length: 200 }, (_, index) => `m${index}`);
  await world.publish(...all);
  const handled: string[] = [];
  const startMs = world.clock.nowMs();
  while (world.server.unsettled('stage') > 0) {
    const bus = world.bus();
    const drain = new AbortController();
    const drainAt = handled.length + 50;
    const stage: Stage<string, undefined, string> = {
      name: 'echo',
      decode: ({ payload }) => text.decode(payload),
      key: (input) => input,
      origin: () => ({ tenant: 'acme', causes: [], layers: [] }),
      read: () => world.clock.sleep(5).then(() => undefined),
      handle: (inputs) => Promise.resolve({ writes: [...inputs], messages: [] }),
    };
    const ports: StagePorts<string> = {
      source: bus.source('stage', { ackDeadlineMs }),
      publisher: bus.publisher,
      deduper: noDeduper,
      deadLetters: { put: down },
      sink: {
        write: (writes) => {
          handled.push(...writes);
          if (handled.length >= Math.min(drainAt, all.length)) {
            drain.abort();
          }
          return Promise.resolve();
        },
      },
      clock: world.clock,
      telemetry: silentTelemetry,
    };
    await runStage(stage, ports, { limits: stageLimits, owner: 'one', signal: drain.signal });
    await bus.close();
  }
  expect(handled.toSorted()).toEqual(all.toSorted());
  expect(world.server.lateCalls).toBe(0);
  // Nothing had to wait for a lease to run out, as what is under way to a pull that is given up on would.
  expect(world.clock.nowMs() - startMs).toBeLessThan(ackDeadlineMs);
});

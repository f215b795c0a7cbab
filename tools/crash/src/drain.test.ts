import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { busCounts, publishedOn } from './end-state.ts';
import { seededRandom } from './random.ts';
import { DevServer, feed, idle } from './run-dev.ts';
import { temporaryRun, type TemporaryRun } from './testing/temporary-run.ts';

/** What one handled message of a subscription puts out, always exactly one message. */
const oneForOne = [
  ['rule-execution.bulk', 'readings.transformed.bulk'],
  ['persistence-raw.bulk', 'readings.stored.raw.bulk'],
  ['persistence-validated.bulk', 'readings.stored.validated.bulk'],
  ['persistence-aggregates.bulk', 'aggregates.stored.bulk'],
] as const;
const drains = 4;
/** The services' drain and the supervisor's margin. */
const graceMs = 25_000;

let run: TemporaryRun;

beforeEach(() => {
  run = temporaryRun();
});

afterEach(() => {
  run.remove();
});

test(
  'SIGTERM at any moment of an import ends with 0 in time, and nothing settled is handled twice',
  { timeout: 600_000 },
  async () => {
    const { dataDir, pieces } = run;
    const random = seededRandom(31);
    const first = new DevServer(dataDir);
    let server = first;
    const servers = [first];
    try {
      await first.up();
      const feeding = feed({ dataDir, pieces, random });
      for (let drain = 0; drain < drains; drain += 1) {
        await sleep(random() * 1_500);
        const startMs = performance.now();
        expect(await server.stop()).toBe(0);
        expect(performance.now() - startMs).toBeLessThan(graceMs);
        expect(server.log.filter(({ comeAgain }) => comeAgain !== undefined && comeAgain !== 0)).toEqual([]);
        server = new DevServer(dataDir);
        servers.push(server);
        await server.up();
      }
      await feeding.finish();
      await idle(dataDir);
      expect(await server.stop()).toBe(0);
    } finally {
      servers.forEach((each) => {
        each.killAll();
      });
    }
    const counts = new Map(busCounts(dataDir).map((each) => [each.subscription, each]));
    for (const [subscription, topic] of oneForOne) {
      expect([subscription, publishedOn(dataDir, topic)]).toEqual([subscription, counts.get(subscription)?.handled]);
    }
    expect(await run.faults()).toEqual([]);
  },
);

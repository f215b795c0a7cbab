import { print } from '@meterflow/command-line';
import { hasControlPlane, startControlPlane, type ControlPlane } from '@meterflow/scaling/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveSequences } from './live/live-sequences.ts';
import { runSequences } from './live/run-sequences.ts';

const isFull = process.env['METERFLOW_FULL'] === 'true';
const sequences = 20;
const seconds = Number(process.env['METERFLOW_LIVE_SECONDS'] ?? 600);
const syncSeconds = 5;
const startMsMax = 1_800_000;
const port = 17_443;
/** With its own limits of calls a second, twenty autoscalers would wait in the middle of their syncs. */
const waitsForNobody = { HPA_FLAGS: '--kube-api-qps=500 --kube-api-burst=1000', NODES: '4' };

/** The controller itself, on a clock that nobody turns: what the replay in fake time can't say of watches and late pods. */
describe.skipIf(!isFull || !hasControlPlane)('the live HPA controller [needs full] [needs shared]', () => {
  let own: ControlPlane;
  beforeAll(() => {
    own = startControlPlane({ port, startMsMax, settings: { HPA_SYNC: `${syncSeconds}s`, ...waitsForNobody } });
  }, startMsMax);
  afterAll(() => {
    own.stop();
  });

  test(
    `decides as the model at every sync of ${sequences} sequences side by side`,
    async () => {
      const told = { kubeconfig: own.kubeconfig, metricsUrl: `https://127.0.0.1:${port + 1}` };
      const checked = await runSequences(liveSequences(sequences, seconds, syncSeconds), seconds, told);
      const sum = (of: 'syncs' | 'changes' | 'slack'): number => checked.reduce((total, each) => total + each[of], 0);
      print(`${checked.length} sequences, ${sum('syncs')} syncs, ${sum('changes')} changes, ${sum('slack')} by slack`);
      expect(checked.flatMap(({ difference }) => difference ?? [])).toEqual([]);
      expect(checked).toHaveLength(sequences);
      expect(sum('changes')).toBeGreaterThan(3 * sequences);
      expect(sum('slack')).toBeLessThan(sum('syncs') / 20);
    },
    seconds * 1_000 + 300_000,
  );
});

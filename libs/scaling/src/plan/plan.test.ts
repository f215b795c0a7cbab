import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FixedScaler } from '../scalers/fixed-scaler.ts';
import { HpaScaler } from '../scalers/hpa-scaler.ts';
import { JobsScaler } from '../scalers/jobs-scaler.ts';
import { KedaScaler } from '../scalers/keda-scaler.ts';
import { compareModels } from './compare-models.ts';
import { LoadTraceError, parseLoadTrace, type LoadTrace } from './load-trace.ts';
import { hpaOnBacklogAndAge, recommend } from './recommend.ts';
import { shippedTrace, shippedTraces } from './shipped-traces.ts';
import { simulate, type PlanWorld } from './simulate.ts';

const world: PlanWorld = {
  readingsPerPodSecond: 1_000,
  startSeconds: 20,
  drainSeconds: 10,
  metricSampleSeconds: 60,
  metricLagSeconds: 180,
  ackDeadlineSeconds: 60,
  inFlightSeconds: 1,
  dollarsPerPodHour: 0.05,
};

const pile = (readings: number): LoadTrace => ({ readings: Float64Array.of(readings) });

describe('a trace', () => {
  test('is seconds and readings, lines of one second added up', () => {
    expect([...parseLoadTrace('seconds,readings\n1,5\r\n1,2\n4,1\n').readings]).toEqual([0, 7, 0, 0, 1]);
  });

  test.each([
    ['', 'Line 1'],
    ['seconds,readings\n', 'no lines'],
    ['seconds,readings\n2,1\n1,1', 'Line 3 goes back'],
    ['seconds,readings\n0,-1', 'Line 2'],
    ['seconds,readings\n0,1.5', 'Line 2'],
    ['seconds,readings\n99999999,1', 'Line 2'],
    ['time,readings\n0,1', 'Line 1'],
  ])('%j is refused with the line', (text, message) => {
    expect(() => parseLoadTrace(text)).toThrow(LoadTraceError);
    expect(() => parseLoadTrace(text)).toThrow(message);
  });

  test.each(shippedTraces)('%s has what its day has, in whole readings', (name) => {
    const { readings } = shippedTrace(name, 960_000);
    const factor = { 'daily-files': 1, 'quarter-hour-push': 1, 'year-backfill': 3.75, outage: 1 }[name];
    expect(readings.reduce((sum, each) => sum + each, 0)).toBe(960_000 * factor);
    expect(readings.every(Number.isInteger)).toBe(true);
  });
});

describe('a simulated stage', () => {
  test('settles oldest first, as fast as its pods do', () => {
    const outcome = simulate(pile(10_000), { world, scaler: new FixedScaler(2), sampleSeconds: 1 });
    expect(outcome.samples.map(({ backlog }) => backlog)).toEqual([8_000, 6_000, 4_000, 2_000, 0, 0]);
    expect(outcome).toMatchObject({ worstAgeSeconds: 3, tailSeconds: 3, finished: true, readings: 10_000, flaps: 0 });
    expect(outcome.podHours).toBeCloseTo((2 * 5) / 3_600);
  });

  test('a killed pod gives back what it held when its lease ends, no sooner', () => {
    const killed = { ...world, killEverySeconds: 2, ackDeadlineSeconds: 100, startSeconds: 1_000 };
    const outcome = simulate(pile(3_500), { world: killed, scaler: new FixedScaler(2), sampleSeconds: 1 });
    // Two seconds of two pods would do; one is killed at second 2 of what comes with 1,000 of the 1,500 that are left.
    expect(outcome.finished).toBe(true);
    const calm = simulate(pile(3_500), { world, scaler: new FixedScaler(2) });
    expect(calm.worstAgeSeconds).toBeLessThan(3);
  });

  test('readings are neither lost nor made, whatever arrives and whoever is killed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9_000 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (arrivals, killEverySeconds, jobs) => {
          const scaler = jobs
            ? new JobsScaler({ targetBacklog: 5_000, jobsMax: 9, idleSeconds: 30 })
            : new KedaScaler(
                hpaOnBacklogAndAge({ fewest: 1, most: 9, backlog: 5_000, ageSeconds: 30, windowSeconds: 300 }),
              );
          const busy = { ...world, killEverySeconds: killEverySeconds + 30 };
          const outcome = simulate({ readings: Float64Array.from(arrivals) }, { world: busy, scaler });
          expect(outcome.finished).toBe(true);
          expect(outcome.readings).toBe(arrivals.reduce((sum, each) => sum + each, 0));
          expect(outcome.samples.at(-1)?.backlog).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('the age as Value runs to the maximum while the metric is late, as AverageValue it does not', () => {
    const average = hpaOnBacklogAndAge({ fewest: 1, most: 50, backlog: 60_000, ageSeconds: 60, windowSeconds: 300 });
    const value = {
      ...average,
      metrics: average.metrics.map((metric) =>
        metric.name === 'oldest-age' ? { ...metric, target: { type: 'value' as const, milli: 60_000 } } : metric,
      ),
    };
    const most = (spec: typeof average): number =>
      Math.max(
        ...simulate(pile(600_000), { world, scaler: new HpaScaler(spec) }).samples.map(({ replicas }) => replicas),
      );
    expect(most(value)).toBe(50);
    expect(most(average)).toBeLessThan(20);
  });

  test('Jobs: no phantom for what was acked long ago, with a metric 180 s late', () => {
    const outcome = simulate(pile(100_000), {
      world,
      scaler: new JobsScaler({ targetBacklog: 20_000, jobsMax: 50, idleSeconds: 60 }),
    });
    // One way up and one to nothing: what is reported for minutes afterwards starts nobody.
    expect(outcome.scaleEvents).toBe(2);
    expect(Math.max(...outcome.samples.map(({ replicas }) => replicas))).toBe(5);
    expect(outcome.samples.at(-1)?.replicas).toBe(0);
  });
});

describe('a recommendation', () => {
  const request = { world, replicasMax: 40, deadlineSeconds: 900 };

  test('keeps the deadline in the model that it comes from, or there is none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1_800 }), fc.integer({ min: 1, max: 8_000_000 })), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.integer({ min: 60, max: 1_200 }),
        (bursts, deadlineSeconds) => {
          const readings = new Float64Array(1_801);
          bursts.forEach(([second, count]) => (readings[second] = count));
          const found = recommend({ ...request, deadlineSeconds, trace: { readings } });
          if (found !== undefined) {
            const again = simulate({ readings }, { world, scaler: new HpaScaler(found.spec) });
            expect(again.finished).toBe(true);
            expect(again.worstAgeSeconds).toBeLessThanOrEqual(deadlineSeconds);
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  test('is none where no number of pods could do it', () => {
    expect(recommend({ ...request, deadlineSeconds: 10, trace: pile(10_000_000) })).toBeUndefined();
  });

  test('costs no more than as many pods all the time, and stands beside the other models', () => {
    const trace = shippedTrace('quarter-hour-push', 200_000_000);
    const { recommendation, models } = compareModels({ ...request, trace });
    expect(recommendation?.outcome.flaps).toBe(0);
    const byModel = Object.fromEntries(models.map((each) => [each.model, each]));
    expect(Object.keys(byModel)).toEqual(['hpa', 'keda', 'jobs', 'fixed', 'fixed-vpa', 'managed']);
    expect(byModel['hpa']?.keepsDeadline).toBe(true);
    expect(byModel['hpa']?.outcome.dollars).toBeLessThanOrEqual(byModel['managed']?.outcome.dollars ?? 0);
  });
});

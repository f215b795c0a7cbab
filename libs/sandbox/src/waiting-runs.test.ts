import { sampleBatch } from '@meterflow/rules/testing';
import { describe, expect, test } from 'vitest';
import { DayPace } from './day-pace.ts';
import { sandboxLimits } from './limits.ts';
import type { RunJob } from './run-job.ts';
import { WaitingRuns } from './waiting-runs.ts';

const jobOf = (tenant: string, id: number): RunJob => ({ id, batch: sampleBatch({ tenant }) }) as RunJob;

describe('runs that wait for a child', () => {
  test('keep their order within a tenant, also those put back; tenants alternate', () => {
    const waiting = new WaitingRuns(sandboxLimits);
    const jobs = [jobOf('a', 1), jobOf('a', 2), jobOf('a', 3), jobOf('b', 4), jobOf('c', 5), jobOf('c', 6)];
    jobs.forEach((job) => {
      waiting.push(job);
    });
    const first = waiting.shift();
    waiting.putBack(first === undefined ? [] : [first]);
    const order = Array.from({ length: 7 }, () => waiting.shift()?.id);
    expect(order).toEqual([4, 5, 1, 6, 2, 3, undefined]);
  });

  test('share CPU time, not batches: who works long on each gets no more than the others', () => {
    const waiting = new WaitingRuns({ ...sandboxLimits, waitingMax: 1_000_000 });
    const costs = new Map([
      ['slow', 200],
      ['light', 2],
      ['lighter', 0.5],
    ]);
    const used = new Map<string, number>();
    costs.forEach((_, tenant) => {
      const job = jobOf(tenant, 0);
      for (let count = 0; count < 10_000; count++) {
        waiting.push(job);
      }
    });
    for (let servedMs = 0; servedMs < 10_000;) {
      const job = waiting.shift();
      const { tenant } = job!.batch;
      const cpuMs = costs.get(tenant)!;
      servedMs += cpuMs;
      used.set(tenant, (used.get(tenant) ?? 0) + cpuMs);
      waiting.finished(tenant, cpuMs);
    }
    expect(used.get('slow')! / 10_000).toBeLessThan(0.42);
    expect(used.get('light')! / 10_000).toBeGreaterThan(0.36);
    // All that it may have for nothing: its batches take less than a turn.
    expect(used.get('lighter')! / 10_000).toBeGreaterThan(0.15);
  });

  test('of one flow go one behind the other while they are cheap together, then it is the turn of the next tenant', () => {
    const waiting = new WaitingRuns(sandboxLimits, () => 3);
    const flowJob = (tenant: string, id: number, flowKey: string): RunJob => ({ ...jobOf(tenant, id), flowKey });
    ['one', 'one', 'one', 'one', 'other', 'one'].forEach((flow, id) => {
      waiting.push(flowJob('a', id, flow));
    });
    waiting.push(flowJob('b', 10, 'one'));
    waiting.push(flowJob('b', 11, 'two'));
    expect(Array.from({ length: 9 }, () => waiting.shift()?.id)).toEqual([0, 1, 2, 10, 3, 11, 4, 5, undefined]);
  });

  test('of one flow have turns of their own where nobody knows what they take, and where they take long', () => {
    const costs = new Map([
      ['unknown', undefined],
      ['long', 11],
    ]);
    for (const [flowKey, costMs] of costs) {
      const waiting = new WaitingRuns(sandboxLimits, () => costMs);
      [jobOf('a', 1), jobOf('a', 2), jobOf('b', 3)].forEach((job) => {
        waiting.push({ ...job, flowKey });
      });
      expect(Array.from({ length: 3 }, () => waiting.shift()?.id)).toEqual([1, 3, 2]);
    }
  });

  test('of one flow that were cheap are not all sent to children that others wait for', () => {
    const waiting = new WaitingRuns({ ...sandboxLimits, children: 2 }, () => 0.1);
    for (let id = 0; id < 4; id++) {
      waiting.push({ ...jobOf('a', id), flowKey: 'one' });
    }
    waiting.shift();
    waiting.finished('a', 400);
    expect(Array.from({ length: 2 }, () => waiting.shift()?.id)).toEqual([1, undefined]);
  });

  test('of one flow that cost nothing, as their child says, do not keep the turn', () => {
    const pace = new DayPace();
    pace.took('one', 1, 0);
    const waiting = new WaitingRuns(sandboxLimits, () => pace.cpuMsOf('one', 1));
    const job = jobOf('a', 0);
    for (let id = 0; id < 20_000; id++) {
      waiting.push({ ...job, id, flowKey: 'one' });
    }
    waiting.push(jobOf('b', -1));
    let passed = 0;
    while (waiting.shift()?.id !== -1) {
      passed += 1;
    }
    expect(passed).toBeLessThan(20_000);
  });

  test('of a tenant whose batches take long leave a child to the others', () => {
    const waiting = new WaitingRuns({ ...sandboxLimits, children: 4 });
    for (let id = 0; id < 20; id++) {
      waiting.push(jobOf('slow', id));
    }
    waiting.shift();
    waiting.finished('slow', 400);
    expect(Array.from({ length: 5 }, () => waiting.shift()?.id)).toEqual([1, 2, 3, undefined, undefined]);
    waiting.push(jobOf('other', 99));
    expect(waiting.shift()?.id).toBe(99);
    waiting.finished('slow', 400);
    expect(waiting.shift()?.id).toBe(4);
  });

  test('are found behind any number of tenants who only pay', () => {
    const waiting = new WaitingRuns(sandboxLimits);
    for (let id = 0; id < 20; id++) {
      waiting.push(jobOf(`tenant-${id}`, id));
      expect(waiting.shift()?.id).toBe(id);
      waiting.finished(`tenant-${id}`, id);
    }
  });

  test('are not held up by a debt while nobody else waits, and are all taken away at the end', () => {
    const waiting = new WaitingRuns(sandboxLimits);
    waiting.push(jobOf('slow', 1));
    waiting.shift();
    waiting.finished('slow', 500);
    waiting.push(jobOf('slow', 2));
    waiting.push(jobOf('slow', 3));
    expect(waiting.shift()?.id).toBe(2);
    expect(waiting.clear().map(({ id }) => id)).toEqual([3]);
    expect(waiting.shift()).toBeUndefined();
  });
});

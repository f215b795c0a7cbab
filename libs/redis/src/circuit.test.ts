import { beforeEach, describe, expect, test } from 'vitest';
import { Circuit, CircuitOpenError } from './circuit.ts';

let nowMs: number;
let changes: boolean[];
let circuit: Circuit;
let calls: number;

const down = new Error('down');
const fail = (): Promise<never> => {
  calls += 1;
  return Promise.reject(down);
};
const answer = (): Promise<string> => {
  calls += 1;
  return Promise.resolve('answer');
};

beforeEach(() => {
  [nowMs, changes, calls] = [0, [], 0];
  const onChange = (isOpen: boolean): void => void changes.push(isOpen);
  circuit = new Circuit({ nowMs: () => nowMs, random: () => 0, retryMs: 100, retryMsMax: 400, onChange });
});

describe('a circuit', () => {
  test('lets calls through to what answers', async () => {
    expect(await circuit.call(answer)).toBe('answer');
    expect([circuit.isOpen, changes]).toEqual([false, []]);
  });

  test('withholds calls after a failure, tries again later, each time after a longer wait, up to a bound', async () => {
    await expect(circuit.call(fail)).rejects.toBe(down);
    const triedAtMs: number[] = [];
    for (nowMs = 0; nowMs < 1_000; nowMs += 10) {
      const before = calls;
      await expect(circuit.call(fail)).rejects.toThrow();
      if (calls > before) {
        triedAtMs.push(nowMs);
      }
    }
    expect(triedAtMs).toEqual([50, 150, 350, 550, 750, 950]);
    expect(changes).toEqual([true]);
  });

  test('one success lets all through again', async () => {
    await expect(circuit.call(fail)).rejects.toBe(down);
    nowMs = 50;
    expect(await circuit.call(answer)).toBe('answer');
    expect(await circuit.call(answer)).toBe('answer');
    expect([circuit.isOpen, changes, circuit.steadyMs]).toEqual([false, [true, false], 50]);
  });

  test('tries with one call only, while others are refused at once', async () => {
    await expect(circuit.call(fail)).rejects.toBe(down);
    nowMs = 50;
    const { promise, resolve } = Promise.withResolvers<string>();
    const trial = circuit.call(() => promise);
    await expect(circuit.call(answer)).rejects.toBeInstanceOf(CircuitOpenError);
    resolve('late');
    expect(await trial).toBe('late');
    expect(await circuit.call(answer)).toBe('answer');
  });

  test('takes calls that fail together for one failure', async () => {
    await Promise.allSettled([circuit.call(fail), circuit.call(fail), circuit.call(fail)]);
    nowMs = 50;
    expect(await circuit.call(answer)).toBe('answer');
    expect(changes).toEqual([true, false]);
  });
});

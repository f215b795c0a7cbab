import { channelNeeds, stockRules, type Flow, type ParameterValue } from '@meterflow/rules';
import type { ReadingBatch } from '@meterflow/readings';
import { IsolatedSandbox } from '@meterflow/sandbox';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstMs, flowWith, hours, noticeOf, Pipeline, readingsOf, step } from './testing/flow-pipeline.ts';

// What comes of a stock rule must not hang on the order in which readings came, how they were batched, or how often.

const dayMs = 86_400_000;
const week = 7 * dayMs;
const channels = ['import', 'register', 'consumption'];
/** From here on readings are expected: all days since are closed. */
const sinceMs = firstMs - 2 * week;

/** What a rule is given where its defaults would leave nothing to do. */
const parametersOf: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>> = {
  'convert-unit': { unit: 'Wh' },
  'fill-profile': { profile: '1\n2\n3\n2', yearlyUse: 4_000 },
  'flag-range': { below: 0, above: 50 },
  'interval-grid': { minutes: 60, action: 'reject' },
  'negative-consumption': { action: 'reject' },
  multiplier: { factor: 3 },
  'plausible-power': { kwMax: 40 },
};

/** Days of which some came in part, one not at all, two of history, corrections, and a register that begins anew. */
const pieces: readonly ReadingBatch[] = [
  hours({ fromMs: sinceMs, values: Array.from({ length: 24 }, (_, hour) => (hour % 5 === 0 ? null : hour * 3)) }),
  hours({ fromMs: firstMs - week, values: Array.from({ length: 24 }, (_, hour) => (hour === 3 ? null : 60 - hour)) }),
  hours({ fromMs: firstMs - week + dayMs, values: Array<number>(24).fill(0) }),
  hours({ fromMs: firstMs, values: [1, 2, null, null, 5, -4, 5, 5, 5, 5, 5, 5] }),
  hours({ fromMs: firstMs + 12 * 3_600_000, values: [400, null, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14] }),
  hours({ fromMs: firstMs, values: [8, null, 3], acceptedAtMs: 2 }),
  readingsOf('register', [
    [firstMs, 99_900],
    [firstMs + dayMs, 150],
  ]),
  readingsOf('register', [[firstMs + 3 * dayMs, 400]]),
];
const closings = [firstMs + dayMs, firstMs + 2 * dayMs, firstMs + 3 * dayMs];

function flowOfRule(name: string): Flow {
  const { version } = stockRules.get(name)!;
  const on = name === 'register-difference' ? 'register' : 'import';
  return flowWith([{ ...step(version, on), parameters: parametersOf[name] ?? {} }]);
}

/** All of them, checks before estimates, in one flow. */
function flowOfAll(): Flow {
  const names = [...stockRules.keys()].sort((a, b) => Number(a.startsWith('fill')) - Number(b.startsWith('fill')));
  const last = names.filter((name) => name !== 'scale-to-register');
  return flowWith([...last, 'scale-to-register'].flatMap((name) => flowOfRule(name).steps));
}

describe('stock rules, in whatever order readings come', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox();
  });
  afterAll(() => sandbox.close());

  async function opened(flow: Flow): Promise<Pipeline> {
    const pipeline = new Pipeline(sandbox);
    const tags = { dials: 5, decimals: 0 };
    for (const channel of ['import', 'register']) {
      const registered = { meter: 'm1', channel };
      await pipeline.series.set('acme', registered, { intervalMs: 3_600_000, unit: 'kWh', tags, sinceMs });
    }
    await pipeline.activate(flow);
    return pipeline;
  }
  /** As control closes days: from the first on that something is expected of, and those before it that look-ahead reaches. */
  const close = (pipeline: Pipeline, throughMs: number, flow: Flow): Promise<void> => {
    const ahead = channelNeeds(flow, { meter: 'm1', channel: 'import' })?.lookAheadDays ?? 0;
    return pipeline.close(throughMs, ['import', 'register'], sinceMs - ahead * dayMs);
  };
  const finished = async (pipeline: Pipeline): Promise<string[]> =>
    (await Promise.all(channels.map((channel) => pipeline.lines(channel)))).flat();

  async function inOrder(flow: Flow): Promise<string[]> {
    const pipeline = await opened(flow);
    for (const piece of pieces) {
      await pipeline.store(piece);
    }
    for (const closing of closings) {
      await close(pipeline, closing, flow);
    }
    return finished(pipeline);
  }

  /** Pieces by their places, some again; -1 closes the next day. */
  const arrivals = fc.shuffledSubarray([...pieces.keys(), ...pieces.keys(), -1, -1, -1], {
    minLength: pieces.length * 2 + closings.length,
  });

  async function law(flow: Flow, numRuns: number): Promise<void> {
    const expected = await inOrder(flow);
    await fc.assert(
      fc.asyncProperty(arrivals, fc.boolean(), async (order, isTogether) => {
        const pipeline = await opened(flow);
        const left = [...closings];
        for (const index of order) {
          const piece = pieces[index];
          await (piece === undefined ? close(pipeline, left.shift() as number, flow) : pipeline.store(piece));
        }
        if (isTogether) {
          await pipeline.tell(order.flatMap((index) => (pieces[index] === undefined ? [] : [noticeOf(pieces[index])])));
        }
        expect(await finished(pipeline)).toEqual(expected);
      }),
      { numRuns },
    );
  }

  test.each([...stockRules.keys()])('law: %s', { timeout: 120_000 }, async (name) => {
    await law(flowOfRule(name), 2);
  });

  test('law: all of them in one flow', { timeout: 240_000 }, async () => {
    const lines = await inOrder(flowOfAll());
    // Every kind of rule had something to say.
    for (const said of ['estimated', 'register-rolled-over', '"value":null']) {
      expect(lines.join('\n')).toContain(said);
    }
    await law(flowOfAll(), 5);
  });
});

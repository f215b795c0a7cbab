import { decodeReadingBatch, encodeReadingBatch, payloadKey } from '@meterflow/contracts';
import { ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import {
  convertUnit,
  defaultFlow,
  flagRange,
  flowOf,
  RuleFailureError,
  type Activation,
  type Flow,
  type Sandbox,
} from '@meterflow/rules';
import { flowOfBody, sampleBatch } from '@meterflow/rules/testing';
import { IsolatedSandbox } from '@meterflow/sandbox';
import { HaltedError, TransientError, type LeasedMessage } from '@meterflow/stage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ruleExecutionStage } from './rule-execution-stage.ts';

const firstMs = Date.UTC(2024, 0, 1);
const peers = flowOf('peers', [
  { rule: convertUnit, parameters: { factor: 1000, unit: 'Wh' } },
  { rule: flagRange, parameters: { below: 0, above: 10_000 } },
]);

function activationOf(flow: Flow, part: Partial<Activation> = {}): Activation {
  return { number: 7, tenant: 'tenant-a', flow, fromMs: -8e15, toMs: 8e15, createdAtMs: 0, decimals: 6, ...part };
}

function messageOf(batch: ReadingBatch): LeasedMessage {
  return { id: '1', payload: encodeReadingBatch(batch), attributes: {}, publishedAtMs: 0, deliveryAttempt: 1 };
}

function shown(batch: ReadingBatch): string[] {
  const rows: string[] = [];
  const cursor = new ReadingCursor(batch.columns);
  const { versions, decimals } = batch.columns;
  while (cursor.next()) {
    const computed = versions.computed[cursor.versionIndex] === 1 ? 'computed' : 'failed';
    rows.push([cursor.integer / 10 ** decimals, cursor.unit, cursor.qualityCode, cursor.reason, computed].join('|'));
  }
  return rows;
}

describe('rule execution', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox();
  });
  afterAll(() => sandbox.close());

  const stageOver = (activations: readonly Activation[], port: Pick<Sandbox, 'run'> = sandbox) =>
    ruleExecutionStage(
      { sandbox: port, activations: { counting: () => Promise.resolve(activations) } },
      { lane: 'live' },
    );

  async function handled(
    activations: readonly Activation[],
    batches: readonly ReadingBatch[],
    port: Pick<Sandbox, 'run'> = sandbox,
  ) {
    const stage = stageOver(activations, port);
    const inputs = batches.map((batch) => stage.decode(messageOf(batch)));
    const { messages, refused = [] } = await stage.handle(inputs, await stage.read(inputs));
    return { messages, refused, batches: messages.map(({ payload }) => decodeReadingBatch(payload)) };
  }

  test('sends each accepted batch on through its flow, with the cause and versions of the layer', async () => {
    const accepted = sampleBatch();
    const { messages, batches, refused } = await handled([activationOf(peers)], [accepted]);
    expect(messages.map(({ topic }) => topic)).toEqual(['readings.transformed.live']);
    expect(refused).toEqual([]);
    const [batch] = batches as [ReadingBatch];
    expect(shown(batch)).toEqual([
      '0|Wh|0||computed',
      '1500|Wh|0||computed',
      '-250|Wh|0|below-minimum|computed',
      '12000|Wh|0|above-maximum|computed',
    ]);
    expect(batch).toMatchObject({ tenant: 'tenant-a', layer: 'validated', sourceId: 'source/1', activation: 7 });
    const key = payloadKey(encodeReadingBatch(accepted));
    expect(batch.cause).toEqual({ sourceId: 'source/1', key, part: 0, parts: 1 });
    expect([...batch.columns.versions.acceptedAtMs]).toEqual([1_000]);
    expect([...batch.columns.versions.activation]).toEqual([7]);
  });

  test('the default flow changes no value', async () => {
    const accepted = sampleBatch();
    const { batches } = await handled([activationOf(defaultFlow)], [accepted]);
    expect(batches[0]?.columns.values).toEqual(accepted.columns.values);
    expect(batches[0]?.columns.decimals).toBe(accepted.columns.decimals);
    expect(shown(batches[0]!)[2]).toBe('-0.25|kWh|0|below-minimum|computed');
  });

  test('a retry in another group makes the same bytes', async () => {
    const batches = [sampleBatch(), sampleBatch({ integers: [5, 6] }), sampleBatch({ meters: 3 })];
    const together = await handled([activationOf(peers)], batches);
    const alone = await Promise.all(batches.map((batch) => handled([activationOf(peers)], [batch])));
    expect(alone.flatMap(({ messages }) => messages)).toEqual(together.messages);
  });

  test('each reading goes through the highest activation whose span holds it', async () => {
    const later = activationOf(flowOfBody('reading.value = 2'), { number: 7, fromMs: firstMs + 3_600_000 });
    const { batches } = await handled(
      [later, activationOf(flowOfBody('reading.value = 1'), { number: 3 })],
      [sampleBatch()],
    );
    expect(batches.flatMap(shown).map((row) => row.split('|')[0])).toEqual(['1', '1', '2', '2']);
    expect(batches.map(({ cause }) => [cause?.part, cause?.parts])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(batches.map(({ columns }) => [...columns.versions.activation])).toEqual([[7], [7]]);
  });

  test('rejected readings are absences beside a dead letter of their own; the others go on', async () => {
    const flow = flowOfBody('if (reading.value < 0) reading.reject("negative")');
    const { batches, refused } = await handled([activationOf(flow)], [sampleBatch()]);
    expect(shown(batches[0]!)).toEqual([
      '0|kWh|0||computed',
      '1.5|kWh|0||computed',
      '0|kWh|4|negative|computed',
      '12|kWh|0||computed',
    ]);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ index: 0, error: { code: 'readings-rejected' } });
    const part = decodeReadingBatch(refused[0]!.part!.payload);
    expect(shown(part)).toEqual(['-0.25|kWh|0|negative|computed']);
    expect(part.firstLine).toBe(4);
    expect(stageOver([]).origin(stageOver([]).decode(messageOf(part))).causes).toEqual([
      { sourceId: 'source/1', key: payloadKey(encodeReadingBatch(sampleBatch())), part: 0, parts: 1 },
    ]);
  });

  const failing = flowOfBody('reading.value *= 2; if (reading.value < 0) throw new Error("no")');

  test('skip: the raw value of a failed reading passes, with the reason, not computed', async () => {
    const { batches, refused } = await handled([activationOf({ ...failing, onFailure: 'skip' })], [sampleBatch()]);
    expect(shown(batches[0]!)[2]).toBe('-0.25|kWh|0|rule-failed:rule-threw|failed');
    expect(shown(batches[0]!)[1]).toBe('3|kWh|0||computed');
    expect(refused).toEqual([]);
  });

  test('reject: a failed reading is an absence, not computed, and a dead letter', async () => {
    const { batches, refused } = await handled([activationOf({ ...failing, onFailure: 'reject' })], [sampleBatch()]);
    expect(shown(batches[0]!)[2]).toBe('0|kWh|4|rule-failed:rule-threw|failed');
    expect(refused.map(({ part }) => part !== undefined)).toEqual([true]);
  });

  test.each(['halt', 'retry'] as const)('%s: the batch is parked, the others of its group go on', async (onFailure) => {
    const { batches, refused } = await handled(
      [activationOf({ ...failing, onFailure })],
      [sampleBatch(), sampleBatch({ integers: [1_000] })],
    );
    expect(batches.map(shown)).toEqual([['2|kWh|0||computed']]);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.error).toBeInstanceOf(HaltedError);
    expect(refused[0]?.error.message).toMatch(/"under-test".*meter-0/);
  });

  test('a flow that fails as a whole falls under its policy', async () => {
    const port: Pick<Sandbox, 'run'> = {
      run: () => Promise.reject(new RuleFailureError('rule-timed-out', 'too slow')),
    };
    const { batches } = await handled(
      [activationOf({ ...peers, onFailure: 'skip' })],
      [sampleBatch({ integers: [1] })],
      port,
    );
    expect(shown(batches[0]!)).toEqual(['0.001|kWh|0|rule-failed:rule-timed-out|failed']);
  });

  test('while the sandbox is not to be had, the group waits', async () => {
    const port: Pick<Sandbox, 'run'> = { run: () => Promise.reject(new Error('closed')) };
    await expect(handled([activationOf(peers)], [sampleBatch()], port)).rejects.toBeInstanceOf(TransientError);
  });

  test('a validated batch is refused: it has been through', () => {
    expect(() => stageOver([]).decode(messageOf({ ...sampleBatch(), layer: 'validated' }))).toThrow(/raw/);
  });
});

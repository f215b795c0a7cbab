import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import { describeSeriesRuns } from './describe-series-runs.ts';
import { flowOfBody, ruleOf } from './rule-of.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  change,
  convertUnit,
  flagRange,
  flowOf,
  ruleContractOf,
  RuleFailureError,
  takesSeries,
  type Sandbox,
} from '../index.ts';

export interface SampleOptions {
  readonly tenant?: string;
  /** Readings go to so many meters by turns. */
  readonly meters?: number;
  /** Thousandths of a kWh. */
  readonly integers?: readonly number[];
}

/** Half-hour readings in kWh with three decimals. */
export function sampleBatch({
  tenant = 'tenant-a',
  meters = 1,
  integers = [0, 1_500, -250, 12_000],
}: SampleOptions = {}): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  integers.forEach((integer, index) => {
    row.series = builder.series(`meter-${index % meters}`, index % meters === 1 ? 'export' : 'import');
    row.unit = builder.text('kWh');
    row.code = builder.text('A');
    row.version = builder.version(rawVersion(0, 1_000));
    row.startMs = Date.UTC(2024, 0, 1) + Math.floor(index / meters) * 1_800_000;
    row.lengthMs = 1_800_000;
    row.integer = integer;
    row.decimals = 3;
    row.line = index + 2;
    builder.append(row);
  });
  return builder.finish({ tenant, layer: 'raw', sourceId: 'source/1', acceptedAtMs: 1_000, activation: 7 });
}

/** What every sandbox must do with rules that mean well, and with those that only fail. */
export function describeSandbox(name: string, makeSandbox: () => Sandbox): void {
  describe(name, () => {
    let sandbox: Sandbox;
    beforeAll(() => {
      sandbox = makeSandbox();
    });
    afterAll(() => sandbox.close());

    test('a flow of two stock rules converts and flags', async () => {
      const flow = flowOf('stock', [
        { rule: convertUnit, parameters: { factor: 1000, unit: 'Wh' } },
        { rule: flagRange, parameters: { below: 0, above: 10_000, quality: 'estimated' } },
      ]);
      const result = await sandbox.run(flow, sampleBatch());
      expect([...result.values]).toEqual([0, 1_500, -250, 12_000]);
      expect([...result.unit].map((index) => result.texts[index])).toEqual(['Wh', 'Wh', 'Wh', 'Wh']);
      expect([...result.reason].map((index) => result.texts[index])).toEqual([
        '',
        '',
        'below-minimum',
        'above-maximum',
      ]);
      expect([...result.quality]).toEqual([0, 0, 1, 1]);
      // 0 kWh is 0 Wh: the value of the first is not a changed one.
      const { value, unit, reason, quality } = change;
      expect([...result.changes]).toEqual([
        unit,
        unit | value,
        unit | value | reason | quality,
        unit | value | reason | quality,
      ]);
    });

    test('a rule that does nothing changes nothing', async () => {
      const result = await sandbox.run(flowOfBody(''), sampleBatch());
      expect(result.any).toBe(0);
      expect([...result.changes]).toEqual([0, 0, 0, 0]);
      expect(result.texts).toEqual(sampleBatch().columns.texts);
    });

    describeSeriesRuns(() => sandbox);

    test('a flow without rules changes nothing', async () => {
      expect((await sandbox.run(flowOf('empty', []), sampleBatch())).any).toBe(0);
    });

    test('a rule sees the whole reading', async () => {
      const body = `reading.annotate([reading.meter, reading.channel, reading.startMs, reading.endMs, reading.value, reading.unit, reading.quality, reading.code, reading.method].join('|'))`;
      const { texts, reason } = await sandbox.run(flowOfBody(body), sampleBatch({ meters: 2 }));
      expect([...reason].map((index) => texts[index])).toEqual([
        'meter-0|import|1704067200000|1704069000000|0|kWh|measured|A|',
        'meter-1|export|1704067200000|1704069000000|1.5|kWh|measured|A|',
        'meter-0|import|1704069000000|1704070800000|-0.25|kWh|measured|A|',
        'meter-1|export|1704069000000|1704070800000|12|kWh|measured|A|',
      ]);
    });

    test('a step applies to the channels of its pattern alone', async () => {
      const flow = flowOfBody('reading.value = 1');
      const result = await sandbox.run(
        { ...flow, steps: flow.steps.map((step) => ({ ...step, channels: 'ex*' })) },
        sampleBatch({ meters: 2 }),
      );
      expect([...result.changes]).toEqual([0, change.value, 0, change.value]);
    });

    test('a step for a share of the meters applies to just those that it takes', async () => {
      const flow = flowOfBody('reading.value += 1');
      const share = { from: 0.2, to: 0.6 };
      const batch = sampleBatch({ meters: 50, integers: Array.from({ length: 100 }, (_, index) => index) });
      const steps = flow.steps.map((step) => ({ ...step, share }));
      const { changes } = await sandbox.run({ ...flow, steps }, batch);
      const taken = batch.series.map((series) => takesSeries({ channels: '*', share }, series));
      expect(new Set(taken).size).toBe(2);
      expect([...changes]).toEqual([...taken, ...taken].map((takes) => (takes ? change.value : 0)));
    });

    test('a rejected reading is not seen by later rules', async () => {
      const flow = flowOf('reject', [
        { rule: ruleOf(`if (reading.value < 0) reading.reject('negative')`, 'first'), parameters: {} },
        { rule: ruleOf(`reading.method = 'later'`, 'second'), parameters: {} },
      ]);
      const { changes, texts, reason } = await sandbox.run(flow, sampleBatch());
      expect([...changes]).toEqual([change.method, change.method, change.rejected, change.method]);
      expect(texts[reason[2] as number]).toBe('negative');
    });

    test('a reading without value is not shown to rules', async () => {
      const batch = sampleBatch();
      const quality = { ends: Uint32Array.of(1, 2, 4), values: Uint32Array.of(0, 4, 0) };
      const { changes } = await sandbox.run(flowOfBody('reading.value += 1'), {
        ...batch,
        columns: { ...batch.columns, quality },
      });
      expect([...changes]).toEqual([change.value, 0, change.value, change.value]);
    });

    test('a rule that throws fails that reading alone, and rule, version and reading are named', async () => {
      const flow = flowOfBody(`if (reading.value < 0) throw new Error('too cold'); reading.value += 1`);
      const { changes, failures, texts, reason } = await sandbox.run(flow, sampleBatch());
      expect([...changes].map((bits) => bits & change.failed)).toEqual([0, 0, change.failed, 0]);
      expect(texts[reason[2] as number]).toBe('rule-failed:rule-threw');
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatchObject({ index: 2, code: 'rule-threw' });
      expect(failures[0]?.message).toMatch(/"under-test".*meter-0.*import.*2024-01-01T01:00:00Z.*too cold/);
    });

    test.each([
      ['NaN', 'reading.value = NaN'],
      ['infinite', 'reading.value = 1 / 0'],
      ['too large', 'reading.value = 2 ** 53'],
      ['a text as value', `reading.value = '5'`],
      ['nothing as value', 'reading.value = undefined'],
      ['an object with valueOf', 'reading.value = { valueOf() { return 1; } }'],
      ['an unknown quality', `reading.quality = 'good'`],
      ['quality missing', `reading.quality = 'missing'`],
      ['an unknown unit', `reading.unit = 'horses'`],
      ['a huge text', `reading.annotate('x'.repeat(1e6))`],
      ['a text of several lines', `reading.annotate('a\\nb')`],
      ['a reason that is no text', 'reading.reject({})'],
      ['a value returned', 'return 5'],
      ['a promise returned', 'return (async () => {})()'],
    ])('nonsense fails the reading: %s', async (_, body) => {
      const { changes, failures } = await sandbox.run(flowOfBody(body), sampleBatch({ integers: [1_000] }));
      expect([...changes].map((bits) => bits & change.failed)).toEqual([change.failed]);
      expect(failures[0]?.code).toBe('rule-returned-nonsense');
    });

    test.each([
      ['no definition', 'export default 5'],
      ['no default export', 'const a = 1;'],
      ['a syntax error', 'export default defineRule({ name: "x", onReading(reading) { if } });'],
      ['no onReading', 'export default defineRule({ name: "x" });'],
      ['an import', 'import fs from "node:fs";\nexport default defineRule({ name: "x", onReading() {} });'],
      ['a body that closes the wrapper', '} evil(); { export default defineRule({ name: "x", onReading() {} });'],
      ['top-level throw', 'throw new Error("no");\nexport default defineRule({ name: "x", onReading() {} });'],
    ])('a rule that can not be loaded fails the batch: %s', async (label, source) => {
      const rule = { id: `invalid ${label}`, name: 'x', contract: ruleContractOf(undefined), source };
      const run = sandbox.run(flowOf('invalid', [{ rule, parameters: {} }]), sampleBatch());
      await expect(run).rejects.toBeInstanceOf(RuleFailureError);
      await expect(run).rejects.toMatchObject({ code: 'rule-invalid' });
    });

    test.each([
      ['unknown', { factor: 1, unit: 'Wh', colour: 'red' }],
      ['of another type', { factor: 'ten', unit: 'Wh' }],
      ['missing', { factor: 1 }],
    ])('a parameter that is %s fails the batch', async (_, parameters) => {
      const flow = flowOf('parameters', [{ rule: convertUnit, parameters: parameters }]);
      await expect(sandbox.run(flow, sampleBatch())).rejects.toMatchObject({ code: 'rule-invalid' });
    });

    test.each([
      ['counts', 'let count = 0;', 'reading.value = count++'],
      ['keeps the last value', 'let last = 0;', 'const was = last; last = reading.value; reading.value -= was'],
      ['collects in a constant', 'const seen = new Map();', 'seen.set(reading.startMs, 1); reading.value = seen.size'],
      [
        'notes the first only',
        'const noted = [];',
        'if (noted.push(1) === 1) reading.annotate("first"); else reading.value += 1',
      ],
      ['fails after the first', 'let count = 0;', 'if (count++ > 0) throw new Error("again")'],
    ])('a rule that remembers earlier readings fails the batch: one that %s', async (_, top, body) => {
      const { source, ...rule } = ruleOf(body);
      const remembering = { ...rule, id: `remembering ${top}`, source: `${top}\n${source}` };
      const run = sandbox.run(
        flowOf('memory', [
          { rule: ruleOf(''), parameters: {} },
          { rule: remembering, parameters: {} },
        ]),
        sampleBatch(),
      );
      await expect(run).rejects.toMatchObject({ code: 'rule-returned-nonsense' });
      await expect(run).rejects.toThrow(/remembering.*remembers earlier readings/);
    });

    test('constants at the top of a rule are no memory', async () => {
      const { source, ...rule } = ruleOf('reading.value *= factors.get(reading.unit)');
      const constant = { ...rule, id: 'constant', source: `const factors = new Map([['kWh', 1000]]);\n${source}` };
      const { values } = await sandbox.run(flowOf('constant', [{ rule: constant, parameters: {} }]), sampleBatch());
      expect([...values]).toEqual([0, 1_500, -250, 12_000]);
    });

    test('the same inputs give the same result, whatever ran before', async () => {
      const flow = flowOfBody(
        `reading.value = Math.sin(reading.value) + Math.exp(reading.startMs / 1e12); reading.annotate('at ' + new Date(reading.startMs).toISOString())`,
      );
      const first = await sandbox.run(flow, sampleBatch());
      await sandbox.run(flow, sampleBatch({ integers: [9, 8, 7] }));
      await sandbox.run(flowOfBody('reading.value = 3'), sampleBatch());
      expect(await sandbox.run(flow, sampleBatch())).toEqual(first);
    });

    test('runs of several tenants at once each get their own result', async () => {
      const runs = Array.from({ length: 12 }, (_, index) =>
        sandbox.run(
          flowOfBody(`reading.value += ${index % 3}`),
          sampleBatch({ tenant: `tenant-${index}`, integers: [index * 1_000] }),
        ),
      );
      const values = (await Promise.all(runs)).map((result, index) => (result.any === 0 ? index : result.values[0]));
      expect(values).toEqual(Array.from({ length: 12 }, (_, index) => index + (index % 3)));
    });

    test('a full batch of many meters comes back whole', async () => {
      const integers = Array.from({ length: 4_000 }, (_, index) => index);
      const batch = sampleBatch({ meters: 4_000, integers });
      const { changes, values } = await sandbox.run(
        flowOfBody(`if (reading.meter === 'meter-3999') reading.value = 5`),
        batch,
      );
      expect(changes.indexOf(change.value)).toBe(3_999);
      expect(values[3_999]).toBe(5);
    });
  });
}

import { describe, expect, test } from 'vitest';
import {
  flowOf,
  resultOfDay,
  ruleDeclaration,
  ruleTests,
  runRuleTests,
  type RuleVersion,
  type Sandbox,
  type SeriesNeeds,
} from '../index.ts';
import { ruleOf, seriesRuleOf } from './rule-of.ts';

type Case = Readonly<Record<string, unknown>>;

/** What every sandbox must do with rules that look at whole days: cases as a rule's author writes them. */
export function describeSeriesRuns(sandboxOf: () => Sandbox): void {
  const problemOf = async (rule: RuleVersion, each: Case): Promise<string | undefined> => {
    const { cases } = ruleTests({ rule: { name: rule.name }, cases: { case: each } });
    const declaration = ruleDeclaration({
      name: rule.name,
      [rule.series === undefined ? 'onReading' : 'onSeries']: true,
    });
    const [outcome] = await runRuleTests(sandboxOf(), { rule, declaration }, cases);
    return outcome?.problem;
  };
  const passes = async (body: string, needs: Partial<SeriesNeeds>, each: Case): Promise<void> => {
    expect(await problemOf(seriesRuleOf(body, needs), each)).toBeUndefined();
  };

  describe('a day of a series', () => {
    const interpolate = `
      const { slots } = day;
      let from = -1;
      slots.forEach((slot, index) => {
        if (slot.value === undefined) return;
        const gap = index - from - 1;
        for (let step = 1; from >= 0 && step <= gap; step++) {
          const before = slots[from].value;
          slots[from + step].fill(before + (slot.value - before) * step / (gap + 1), { method: 'linear' });
        }
        from = index;
      });`;

    test('gaps are filled from their neighbours', async () => {
      const filled = { quality: 'estimated', method: 'linear', unit: 'kWh' };
      await passes(
        interpolate,
        {},
        {
          values: [75, null, null, null, null, 100],
          expect: [75, { value: 80, ...filled }, 85, 90, 95, { value: 100, quality: 'measured' }],
        },
      );
    });

    test('in a day that is not closed nothing is filled', async () => {
      await passes(interpolate, {}, { closed: false, values: [75, null, 85], expect: [75, null, 85] });
    });

    test('it shows where and when it is', async () => {
      const body = `
        const at = [day.meter, day.channel, day.unit, day.date, day.weekday, day.closed, day.intervalMs, day.slots.length];
        day.slots[0].annotate(at.join('|'));
        day.slots[1].annotate([day.slots[12].minuteOfDay, day.endMs - day.startMs, day.slots[1].code].join('|'));`;
      await passes(
        body,
        {},
        {
          ...{ date: '2024-03-31', timeZone: 'Europe/Berlin', values: [1, 2] },
          expect: [{ reason: 'meter-1|import|kWh|2024-03-31|7|true|900000|92' }, { reason: '240|82800000|' }],
        },
      );
    });

    test('a day on which the clock goes back has an hour twice', async () => {
      const body =
        'day.slots[0].annotate([day.slots.length, ...[11, 12, 13].map((i) => day.slots[i].minuteOfDay)].join());';
      await passes(
        body,
        {},
        {
          ...{ date: '2024-10-27', timeZone: 'Europe/Berlin', values: [1] },
          expect: [{ reason: '100,165,120,135' }],
        },
      );
    });

    test('days before and after are as they came', async () => {
      const body = `
        day.slots[0].value = day.earlier(2).slots[0].value + day.later(1).slots[0].value;
        day.slots[0].annotate([day.earlier(1).slots[0].quality, day.earlier(2).date].join('|'));`;
      await passes(
        body,
        { lookBackDays: 2, lookAheadDays: 1 },
        {
          ...{ values: [1], earlier: [[null], [10]], later: [[5]] },
          expect: [{ value: 15, reason: 'missing|2023-12-30' }],
        },
      );
    });

    test('other channels can be read and emitted on', async () => {
      const body = `day.slots.forEach((slot, index) => {
        const other = day.other('export').slots[index].value;
        if (slot.value !== undefined && other !== undefined) day.emit('net', { startMs: slot.startMs, value: slot.value - other });
      });`;
      await passes(
        body,
        { reads: ['export'], emits: ['net'] },
        {
          ...{ values: [5, 6, 7], others: { export: [1, null, 2.5] }, expect: [5, 6, 7] },
          emitted: [
            { channel: 'net', start: '2024-01-01T00:00Z', value: 4, quality: 'calculated', unit: 'kWh' },
            { channel: 'net', start: '2024-01-01T00:30Z', value: 4.5 },
          ],
        },
      );
    });

    test('register readings are seen, and tags', async () => {
      const body = `
        const at = [...day.registers, day.later(1).registers[0]];
        day.emit('import', {
          startMs: day.startMs, endMs: day.endMs, unit: 'kWh',
          value: (at[at.length - 1].value - at[0].value) * context.tags.multiplier, method: 'register',
        });
        day.registers[0].annotate('used');`;
      await passes(
        body,
        { emits: ['import'], lookAheadDays: 1, tags: ['multiplier'] },
        {
          ...{ channel: 'register', values: [], expect: [], tags: { multiplier: 10, dials: 6 } },
          registers: [
            { start: '2024-01-01T00:00Z', value: 24 },
            { start: '2024-01-02T00:00Z', value: 72 },
          ],
          expectRegisters: [{ value: 24, reason: 'used' }],
          emitted: [{ channel: 'import', start: '2024-01-01T00:00Z', value: 480, method: 'register' }],
        },
      );
    });

    test('a refused reading is an absence that is not filled', async () => {
      const body = `const [slot] = day.slots; slot.reject('odd'); slot.fill(1); day.slots[1].annotate(String(slot.value));`;
      await passes(body, {}, { values: [1, 2], expect: [{ rejected: 'odd' }, { reason: 'undefined' }] });
    });

    test.each([
      ['a value that is none', 'day.slots[0].value = NaN', 'below 2^53'],
      ['a gap that is set', 'day.slots[1].value = 1', 'fill(value) it'],
      ['a slot that is filled over', 'day.slots[0].fill(1)', 'this slot has a value'],
      ['a day too far', 'day.earlier(1)', 'earlier(1) is not to be had'],
      ['a channel not named', `day.other('export')`, 'needs.reads'],
      ['an emission not named', `day.emit('net', { startMs: day.startMs, value: 1 })`, 'needs.emits'],
      ['something returned', 'return day', 'must return nothing'],
      ['a promise', 'return Promise.resolve', 'onSeries'],
      ['a day that is changed', 'day.unit = "Wh"', 'only a getter'],
      ['what came that is changed', 'day.earlier(0).slots[0].value = 1', 'as they came'],
    ])('%s fails the day, and the rule is named', async (_, body, told) => {
      const problem = await problemOf(seriesRuleOf(body), { values: [1, null], expect: [1, null] });
      expect(problem).toContain('"under-test"');
      expect(problem?.replace('Promise is not defined', 'onSeries')).toContain(told);
    });

    test.each([
      ['outside the day', '{ startMs: day.endMs, value: 1 }', 'starts within the day'],
      [
        'twice',
        '{ startMs: day.startMs, value: 1 }); day.emit("net", { startMs: day.startMs, value: 2 }',
        'emitted twice',
      ],
      ['in an unknown unit', '{ startMs: day.startMs, value: 1, unit: "horses" }', 'unit must be'],
      ['without a value', '{ startMs: day.startMs }', 'below 2^53'],
    ])('an emission %s fails the day', async (_, emission, told) => {
      const rule = seriesRuleOf(`day.emit("net", ${emission})`, { emits: ['net'] });
      expect(await problemOf(rule, { values: [1], expect: [1] })).toContain(told);
    });

    test('rules with onReading take part, and see what was filled', async () => {
      const sandbox = sandboxOf();
      const { cases } = ruleTests({
        rule: { name: 'x' },
        cases: { case: { values: [1, null, 3], expect: [{}, {}, {}] } },
      });
      const [each] = cases;
      if (each === undefined || !('day' in each)) {
        throw new Error('it is a day');
      }
      const run = each.day.windows([]).run(each.day.day, { backDays: 0, aheadDays: 0 });
      const flow = flowOf('mixed', [
        { rule: seriesRuleOf(interpolate), parameters: {} },
        { rule: ruleOf('reading.value *= 10'), parameters: {} },
      ]);
      const { values } = resultOfDay(await sandbox.runSeries(flow, run));
      expect([...values.slice(0, 3)]).toEqual([10, 20, 30]);
    });
  });

  describe('the severity of a step', () => {
    const failing = seriesRuleOf(`day.slots[0].value = 99; throw new Error('no')`);
    const later = seriesRuleOf(`day.slots[1].value += 1`, {}, 'later');
    const outcomeOf = async (severity: 'info' | 'issue' | 'terminate'): Promise<unknown[]> => {
      const { cases } = ruleTests({ rule: { name: 'x' }, cases: { case: { values: [1, 2], expect: [{}, {}] } } });
      const [each] = cases;
      if (each === undefined || !('day' in each)) {
        throw new Error('it is a day');
      }
      const run = each.day.windows([]).run(each.day.day, { backDays: 0, aheadDays: 0 });
      const [first, second] = flowOf('soft', [
        { rule: failing, parameters: {} },
        { rule: later, parameters: {} },
      ]).steps;
      const steps = [{ ...first!, severity }, second!];
      const soft = { name: 'soft', steps, onFailure: 'skip' } as const;
      const { values, changes, reason, texts, failures } = resultOfDay(await sandboxOf().runSeries(soft, run));
      return [values[1], (changes[0] as number) & 16 ? texts[reason[0] as number] : '', failures.length];
    };

    test('info: the step is left out, and told', async () => {
      expect(await outcomeOf('info')).toEqual([3, '', 1]);
    });

    test('issue: so it is, and the readings note it', async () => {
      expect(await outcomeOf('issue')).toEqual([3, 'rule-failed:rule-threw', 1]);
    });

    test('terminate: the day fails', async () => {
      await expect(outcomeOf('terminate')).rejects.toMatchObject({ code: 'rule-threw' });
    });
  });
}

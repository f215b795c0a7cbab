import { calendarOf, dayMs } from '@meterflow/aggregates';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingColumns } from '@meterflow/readings';
import {
  flowOf,
  localDays,
  resultOfDay,
  SeriesWindows,
  type DayResult,
  type Flow,
  type RuleVersion,
  type SeriesRun,
} from '@meterflow/rules';
import { ruleOf, seriesRuleOf } from '@meterflow/rules/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IsolatedSandbox } from './index.ts';

const hourMs = 3_600_000;
const series = { meter: 'meter', channel: 'import' };
/** Over a change of the clock: days of 24, 23 and 24 hours follow each other. */
const days = localDays(calendarOf('Europe/Berlin'), Date.UTC(2024, 2, 27) / dayMs, 10);
const around = { backDays: 2, aheadDays: 1 };
const needs = { lookBackDays: 2, lookAheadDays: 1, emits: ['net'] };

/** Hours with gaps, and a register read at noon. */
function columns(): ReadingColumns {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series(series.meter, series.channel);
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, 1));
  for (let atMs = days.startMs[0] as number; atMs < (days.startMs[10] as number); atMs += hourMs) {
    const hour = atMs / hourMs;
    row.startMs = atMs;
    row.integer = (hour * 7_919) % 3_000;
    row.decimals = hour % 4;
    row.lengthMs = hourMs;
    if (hour % 7 !== 3) {
      builder.append(row);
    }
    if (hour % 24 === 12) {
      row.lengthMs = 0;
      builder.append(row);
    }
  }
  return builder.finish({ tenant: '', layer: 'raw', sourceId: '', acceptedAtMs: 1, activation: 0 }).columns;
}

function windowsOf(meter: string): SeriesWindows {
  return new SeriesWindows(
    {
      ...{ tenant: 'tenant', series: { ...series, meter }, unit: 'kWh', days, activation: 1 },
      tagsAt: (atMs) => ({ even: Math.floor(atMs / dayMs) % 2 === 0 }),
      closedThroughMs: days.startMs[9] as number,
    },
    { channel: 'import', intervalMsAt: () => hourMs, columns: [columns()] },
    [],
  );
}

const windows = windowsOf(series.meter);
const [together] = windows.runs([2, 3, 4, 5, 6, 7], around) as [SeriesRun];

function flowWith(...rules: readonly RuleVersion[]): Flow {
  return flowOf(
    'together',
    rules.map((rule) => ({ rule, parameters: {} })),
  );
}

/** What a result says, without what only its columns' places tell. */
function shown(result: DayResult | undefined): unknown {
  if (result === undefined || result instanceof Error) {
    return result?.message;
  }
  const { changes, values, quality, method, reason, unit, texts, failures, emitted } = result;
  const text = (column: Uint16Array, index: number, bits: number): string | undefined =>
    ((changes[index] as number) & bits) === 0 ? undefined : texts[column[index] as number];
  return {
    failures,
    emitted: emitted.startMs.join(),
    readings: Array.from(changes, (bits, index) => [
      bits,
      (bits & 1) === 0 ? undefined : values[index],
      (bits & 2) === 0 ? undefined : quality[index],
      text(unit, index, 4),
      text(method, index, 8),
      text(reason, index, 112),
    ]),
  };
}

describe('days that are run together', () => {
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox({ limits: { batchCpuMsMax: 300 } });
  });
  afterAll(() => sandbox.close());

  /** Alone, then again and again together: how many go at once follows from what they cost before. */
  const expectAlike = async (flow: Flow): Promise<readonly DayResult[]> => {
    const alone: unknown[] = [];
    for (const day of [2, 3, 4, 5, 6, 7]) {
      alone.push(...(await sandbox.runSeries(flow, windows.run(day, around))).map(shown));
    }
    let results: readonly DayResult[] = [];
    for (let round = 0; round < 4; round++) {
      results = await sandbox.runSeries(flow, together);
      expect(results.map(shown)).toEqual(alone);
    }
    return results;
  };

  test('come out as each does alone', async () => {
    const body = `
      const before = day.earlier(2).slots[1].value ?? 0;
      day.slots.forEach((slot, hour) => {
        if (slot.value === undefined) slot.fill(before + hour, { method: 'filled' });
        else if (slot.value > 500) slot.annotate(day.date + ' ' + slot.minuteOfDay + ' ' + context.tags.even);
        if (hour % 5 === 0) day.emit('net', { startMs: slot.startMs, value: hour, reason: day.later(1).date });
      });
      if (day.registers[0].value !== undefined) day.registers[0].value += day.earlier(1).registers.length;
      if (day.weekday === 6) throw new Error('not on Saturdays');`;
    const results = await expectAlike(
      flowWith(
        ruleOf(
          'if (reading.value > 200) reading.value /= 2; if (reading.value > 1300) throw new Error(reading.method)',
        ),
        seriesRuleOf(body, { ...needs, tags: ['even'] }),
        ruleOf('reading.unit = "Wh"', 'last'),
      ),
    );
    expect(results.map((result) => result instanceof Error)).toEqual([false, true, false, false, false, false]);
  });

  test.each([
    ['a counter', 'let count = 0;', 'count += 1; day.slots[0].annotate("day " + count)'],
    ['lists of days', 'const seen = [];', 'seen.push(day.slots); day.slots[0].value = seen.length'],
    [
      'what it puts in a list that it is given',
      '',
      'const list = day.earlier(1).slots; day.slots[0].annotate(String(list.length)); list.push(1); day.slots.length = 0',
    ],
    [
      'a note on a method',
      '',
      'const { annotate } = day.slots[0]; try { annotate.seen = (annotate.seen ?? 0) + 1; } catch {} annotate.call(day.slots[0], String(annotate.seen))',
    ],
    [
      'a note on a getter',
      '',
      'const { get } = Object.getOwnPropertyDescriptor(day, "date"); try { get.seen = (get.seen ?? 0) + 1; } catch {} day.slots[0].annotate(String(get.seen))',
    ],
    [
      'notes on a column of values, on its memory and in it',
      '',
      `for (const of of [day, day.earlier(1)]) {
        const column = of.values();
        const seen = [column.seen, column.buffer.seen, column[0], column.length, column.buffer.byteLength];
        try { column.seen = 1; } catch {}
        try { column.buffer.seen = 1; } catch {}
        column.fill(9);
        day.slots[of.slots.length % 7].annotate(String(seen));
      }`,
    ],
    [
      'a column of values that was given away',
      '',
      'const column = day.values(); column.buffer.transfer(); day.slots[0].annotate(String([column.length, day.values().length, day.values()[1]]))',
    ],
  ])('remember nothing from one to the next: %s', async (_, top, body) => {
    const { source, ...rule } = seriesRuleOf(body, needs);
    await expectAlike(flowWith({ ...rule, id: `remembering ${top}${body}`, source: `${top}\n${source}` }));
  });

  test('have the values of their slots in columns, as rules and what undoes them leave them', async () => {
    const compared = `
      const told = (list) => list.map((slot) => slot.value ?? NaN).join();
      for (const one of [day, day.earlier(2), day.earlier(1), day.later(1)]) {
        if (one.values().join() !== told(one.slots)) throw new Error(one.date + ': ' + one.values().join());
      }
      day.slots[5].annotate(day.values().join().slice(0, 150));`;
    const comparing = (name: string): RuleVersion => seriesRuleOf(compared, needs, name);
    const changing = seriesRuleOf(
      `day.slots.forEach((slot, hour) => {
        if (hour === 3) day.values().fill(7);
        if (slot.value === undefined) slot.fill(9);
        else if (hour % 3 === 0) slot.reject('odd');
        else slot.value += 1;
        if ((day.values()[hour] || undefined) !== slot.value) throw new Error('not as it stands');
      });`,
      needs,
      'changing',
    );
    const undone = seriesRuleOf('day.slots[1].value = 1; day.values(); throw new Error("undone")', needs, 'undone');
    const flow = flowWith(comparing('before'), changing, comparing('between'), undone, comparing('after'));
    const steps = flow.steps.map((step) =>
      step.rule.name === 'undone' ? { ...step, severity: 'info' as const } : step,
    );
    const results = await expectAlike({ ...flow, steps });
    expect(results.filter((result) => result instanceof Error)).toEqual([]);
  });

  test('are seen as they stand after each rule, whatever the one before did, undid and kept', async () => {
    const soft = seriesRuleOf(
      'day.slots.forEach((slot) => slot.value === undefined ? slot.fill(9) : slot.reject("odd")); throw new Error("undone")',
      {},
      'soft',
    );
    const lists = 'day.slots.length = 1; day.earlier(1).slots.push(1); const { slots, ...rest } = { ...day };';
    const second = seriesRuleOf(`${lists} day.slots[0].value = Object.keys(rest).length`, needs, 'second');
    const read =
      '[day.slots.length, day.earlier(1).slots.length, ...day.slots.map(({ value }) => String(value))].join(" ")';
    const third = seriesRuleOf(`day.slots.at(-1).annotate(${read})`, needs, 'third');
    const [first, ...others] = flowWith(soft, ruleOf('if (reading.value > 2000) reading.reject("high")'), second, third)
      .steps as [Flow['steps'][number]];
    await expectAlike({ ...flowWith(), steps: [{ ...first, severity: 'info' }, ...others] });
    const [told] = await sandbox.runSeries(
      { ...flowWith(), steps: [{ ...first, severity: 'info' }, ...others] },
      windows.run(2, around),
    );
    const result = resultOfDay([told as DayResult]);
    const [shown = '', ...values] = (result.texts[result.reason[23] as number] ?? '').split(' ').slice(1);
    expect([shown, values.length, values[0]]).toEqual(['24', 24, '14']);
  });

  test('can be changed by no rule that looks at them from another', async () => {
    const body = `day.slots[0].annotate([
      () => { day.date = ''; }, () => { day.more = 1; }, () => { day.earlier(1).slots[0].value = 1; },
      () => { day.earlier(1).slots = []; }, () => { delete day.earlier(1).date; }, () => { day.earlier.more = 1; },
      () => day.earlier(1).slots[0].annotate('x'), () => Object.getPrototypeOf(day).date, () => day.slots[0].more = 1,
    ].map((attempt) => { try { attempt(); return 'done'; } catch { return 'refused'; } }).join());`;
    const [told] = await sandbox.runSeries(flowWith(seriesRuleOf(body, needs, 'changer')), windows.run(3, around));
    const { texts, reason } = resultOfDay([told as DayResult]);
    expect(texts[reason[0] as number]).toBe(Array.from({ length: 9 }, () => 'refused').join());
  });

  test('remember nothing of readings either', async () => {
    const { source, ...rule } = ruleOf('count += 1; reading.method = String(count)', 'counting');
    const counting = { ...rule, id: 'counting', source: `let count = 0;\n${source}` };
    await expectAlike(flowWith(counting, seriesRuleOf('', needs)));
  });

  test('are not changed by what a rule leaves for later', async () => {
    const later = seriesRuleOf(
      '(async () => { await null; day.slots[0].value = 666; day.emit("net", { startMs: day.startMs, value: 1 }); day.slots[1].reject("late"); })()',
      needs,
    );
    const results = await expectAlike(
      flowWith(later, seriesRuleOf('day.slots.forEach((slot) => slot.annotate("in time"))', {}, 'second')),
    );
    expect(results.map((result) => !(result instanceof Error) && result.any)).toEqual([0, 0, 0, 0, 0, 0].map(() => 16));
  });

  test('have limits of their own: what is too much for all of them is not for each', async () => {
    const texts = seriesRuleOf(
      'for (let each = 0; each < 20_000; each++) day.slots[day.slots[0].value === undefined ? 1 : 0].method = day.date + each',
      needs,
    );
    const results = await expectAlike(flowWith(texts));
    expect(results.every((result) => !(result instanceof Error))).toBe(true);
  }, 60_000);

  test('are judged one by one where one of them takes its host with it', async () => {
    const flow = flowWith(
      seriesRuleOf('if (day.weekday === 7 && day.slots[23] === undefined) for (;;); day.slots[0].annotate("fine")'),
    );
    for (let round = 0; round < 3; round++) {
      await sandbox.runSeries(flow, windows.runs([2, 3], around)[0] as SeriesRun);
    }
    const results = await sandbox.runSeries(flow, together);
    expect(results.map((result) => (result instanceof Error ? result.code : result.any))).toEqual([
      ...[16, 16],
      ...['rule-timed-out', 'rule-timed-out', 'rule-timed-out', 'rule-timed-out'],
    ]);
  }, 60_000);
});

describe('days of several series that are due at once', () => {
  const meters = Array.from({ length: 12 }, (_, meter) => `meter-${meter}`);
  let sandbox: IsolatedSandbox;
  beforeAll(() => {
    sandbox = new IsolatedSandbox({ limits: { batchCpuMsMax: 300 } });
  });
  afterAll(async () => {
    await sandbox.close();
  });
  const runOn = (flow: Flow, meter: string): Promise<readonly DayResult[]> =>
    sandbox.runSeries(flow, windowsOf(meter).run(4, around));

  test('come out as each does alone: what fails on one of them is told of that one', async () => {
    const body = `
      day.slots[1].annotate(day.meter + ' ' + context.tags.even);
      day.emit('net', { startMs: day.startMs, value: day.slots.length });
      if (day.meter === 'meter-5') throw new Error('not this one');`;
    const flow = flowWith(seriesRuleOf(body, { ...needs, tags: ['even'] }));
    const alone: unknown[] = [];
    for (const meter of meters) {
      alone.push((await runOn(flow, meter)).map(shown));
    }
    for (let round = 0; round < 3; round++) {
      const atOnce = await Promise.all(meters.map((meter) => runOn(flow, meter)));
      expect(atOnce.map((results) => results.map(shown))).toEqual(alone);
      expect(atOnce.map(([result]) => result instanceof Error).indexOf(true)).toBe(5);
    }
  });

  test('remember nothing of each other', async () => {
    const { source, ...rule } = seriesRuleOf('seen.push(day.meter); day.slots[1].annotate(seen.join())', needs);
    const flow = flowWith({ ...rule, source: `const seen = [];\n${source}` });
    await runOn(flow, 'meter-0');
    const atOnce = await Promise.all(meters.map((meter) => runOn(flow, meter)));
    const noted = atOnce.map(([result]) => (result instanceof Error ? '' : result?.texts.at(-1)));
    expect(noted).toEqual(meters);
  });

  test('are judged by their own: where one takes all the time, those before it have their results', async () => {
    const flow = flowWith(seriesRuleOf('if (day.meter === "meter-7") for (;;) {}', needs));
    await runOn(flow, 'meter-0');
    const atOnce = await Promise.all(meters.map((meter) => runOn(flow, meter)));
    const failed = atOnce.map(([result]) => (result instanceof Error ? result.message : ''));
    expect(failed.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => ''));
    expect(failed[7]).toContain('it took more time than one batch may take');
    const others = flowWith(seriesRuleOf('day.slots[1].annotate(day.meter)', needs));
    expect(
      (await Promise.all(meters.map((meter) => runOn(others, meter)))).flat().some((each) => each instanceof Error),
    ).toBe(false);
  });
});

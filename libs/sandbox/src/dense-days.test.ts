import { calendarOf, dayMs } from '@meterflow/aggregates';
import { BatchBuilder, rawVersion, ReadingRow } from '@meterflow/readings';
import { flowOf, localDays, RuleFailureError, SeriesWindows } from '@meterflow/rules';
import { seriesRuleOf } from '@meterflow/rules/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IsolatedSandbox } from './isolated-sandbox.ts';

const firstDay = 19_723;
let sandbox: IsolatedSandbox;
beforeAll(() => {
  sandbox = new IsolatedSandbox();
});
afterAll(() => sandbox.close());

/** A year and more around a day with one reading. */
function windowsOf(intervalMs: number): SeriesWindows {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series('m1', 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, 1));
  row.startMs = (firstDay + 400) * dayMs;
  row.lengthMs = intervalMs;
  builder.append(row);
  const { columns } = builder.finish({ tenant: 'acme', layer: 'raw', sourceId: 's', acceptedAtMs: 1, activation: 1 });
  const days = localDays(calendarOf('UTC'), firstDay, 430);
  const facts = { tenant: 'acme', series: { meter: 'm1', channel: 'import' }, unit: 'kWh', days, activation: 1 };
  const more = { tagsAt: () => ({}), closedThroughMs: 0 };
  return new SeriesWindows(
    { ...facts, ...more },
    { channel: 'import', intervalMsAt: () => intervalMs, columns: [columns] },
    [],
  );
}

test.each([10_000, 1])(
  'a day of intervals of %i ms fails, at no cost to others, and the reason is told',
  async (lengthMs) => {
    const flow = flowOf('dense', [{ rule: seriesRuleOf('onSeries(day) {}'), parameters: {} }]);
    const before = process.memoryUsage().arrayBuffers;
    const run = windowsOf(lengthMs).run(400, { backDays: 0, aheadDays: 0 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
    const [told] = await sandbox.runSeries(flow, run);
    expect(told).toBeInstanceOf(RuleFailureError);
    expect((told as RuleFailureError).message).toContain('at most 4000 readings, and meter m1');
  },
);

test('a day of minutes goes through', async () => {
  const flow = flowOf('minutes', [{ rule: seriesRuleOf(''), parameters: {} }]);
  const [told] = await sandbox.runSeries(flow, windowsOf(60_000).run(400, { backDays: 0, aheadDays: 0 }));
  expect(told).toMatchObject({ any: 0 });
});

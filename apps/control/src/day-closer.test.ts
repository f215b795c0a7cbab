import { decodeStoredNotice } from '@meterflow/contracts';
import { Activations, ClosedDaysRegistry, instantMsMax, SeriesRegistry, Tenants, ToldSince } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import { flowOf } from '@meterflow/rules';
import { ruleOf, seriesRuleOf } from '@meterflow/rules/testing';
import { beforeEach, expect, test } from 'vitest';
import { DayCloser } from './day-closer.ts';
import { KnownSeries } from './known-series.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.UTC(2024, 5, 10, 12);

let registry: MemoryRegistry;
/** What was told on `days.due`, and problems; and on `days.closed`. */
let told: string[];
let closed: string[];
let failures: number;
let atMs: number;

const closer = (onLook: () => void = () => undefined): DayCloser =>
  new DayCloser({
    tenants: new Tenants({ registry, nowMs: () => atMs }),
    activations: new Activations({ registry, nowMs: () => atMs, activationLeaseMs: 0 }),
    series: new SeriesRegistry({ registry, nowMs: () => atMs, cacheMs: 0 }),
    closedDays: new ClosedDaysRegistry(registry),
    toldSince: new ToldSince(registry),
    known: new KnownSeries({
      stored: {
        series: () => {
          onLook();
          return [
            { meter: 'm1', channel: 'export' },
            { meter: 'm1', channel: 'import' },
          ];
        },
        spans: () => [],
      },
      raw: { firstMs: ({ meter }) => Promise.resolve(meter === 'm1' ? Date.UTC(2024, 5, 5, 3) : undefined) },
      settings: new SeriesRegistry({ registry, nowMs: () => atMs, cacheMs: 0 }),
      closedDays: new ClosedDaysRegistry(registry),
    }),
    publisher: {
      publish: (messages) => {
        if (failures-- > 0) {
          return Promise.reject(new Error('the bus is down'));
        }
        messages.forEach(({ topic, payload }) => {
          const { touched, layer } = decodeStoredNotice(payload);
          touched.index.forEach((index, row) => {
            const { meter, channel } = touched.series[index] as { meter: string; channel: string };
            const [from, to] = [touched.fromMs[row], touched.toMs[row]].map((ms) =>
              new Date(ms as number).toISOString().slice(0, 13),
            );
            const days = `${topic} ${layer} ${meter} ${channel} ${from} ${to}`;
            (topic.startsWith('days.closed') ? closed : told).push(days);
          });
        });
        return Promise.resolve();
      },
    },
    nowMs: () => atMs,
    sleep: () => Promise.resolve(),
    lane: 'bulk',
    graceMs: 6 * hourMs,
    onProblem: ({ tenant, message }) => told.push(`${tenant}: ${message}`),
  });

const register = (meter: string, settings: Parameters<SeriesRegistry['set']>[2]): Promise<void> =>
  new SeriesRegistry({ registry, nowMs: () => atMs, cacheMs: 0 }).set('acme', { meter, channel: 'import' }, settings);

async function activate(rule: ReturnType<typeof ruleOf>): Promise<void> {
  const activations = new Activations({ registry, nowMs: () => atMs, activationLeaseMs: 0 });
  const flow = { ...flowOf('x', []), steps: [{ rule, parameters: {}, channels: 'import' }] };
  await activations.create('acme', { flow, decimals: 3, fromMs: -instantMsMax, toMs: instantMsMax });
}

beforeEach(async () => {
  registry = new MemoryRegistry();
  told = [];
  closed = [];
  failures = 0;
  atMs = nowMs;
  await new Tenants({ registry, nowMs: () => atMs }).create('acme');
  // Registered, and nothing ever came of it.
  await register('berlin', { timeZone: 'Europe/Berlin' });
});

test('at first all that is stored is told, then day after day, once its end and the grace have passed', async () => {
  await activate(seriesRuleOf(''));
  await closer().close();
  expect(told).toEqual(['days.due.bulk raw m1 import 2024-06-05T00 2024-06-10T00']);
  await closer().close();
  expect(told).toHaveLength(1);
  atMs = Date.UTC(2024, 5, 11, 5, 59);
  await closer().close();
  expect(told.slice(1)).toEqual(['days.due.bulk raw berlin import 2024-06-09T22 2024-06-10T22']);
  atMs += hourMs;
  await closer().close();
  expect(told.slice(2)).toEqual(['days.due.bulk raw m1 import 2024-06-10T00 2024-06-11T00']);
});

test('what was closed and not told is told at the next look', async () => {
  await activate(seriesRuleOf(''));
  failures = 1;
  await closer().close();
  expect(told).toEqual(['acme: the bus is down']);
  const closed = new ClosedDaysRegistry(registry);
  expect(await closed.of('acme', 'UTC')).toEqual({
    ...{ closedThroughMs: Date.UTC(2024, 5, 10), publishedThroughMs: 0, toldThroughMs: 0 },
  });
  await closer().close();
  expect(told.slice(1)).toEqual(['days.due.bulk raw m1 import 2024-06-05T00 2024-06-10T00']);
  expect((await closed.of('acme', 'UTC'))?.publishedThroughMs).toBe(Date.UTC(2024, 5, 10));
});

test('days that were closed while nobody looked are told together', async () => {
  await activate(seriesRuleOf(''));
  await closer().close();
  atMs += 3 * dayMs;
  await closer().close();
  expect(told).toContain('days.due.bulk raw m1 import 2024-06-10T00 2024-06-13T00');
});

test('days of tenants without a series flow are closed as well, and told once of every series', async () => {
  await activate(ruleOf(''));
  await closer().close();
  expect(told).toEqual([]);
  expect(closed).toEqual([
    'days.closed.bulk validated m1 export 2024-06-05T00 2024-06-10T00',
    'days.closed.bulk validated m1 import 2024-06-05T00 2024-06-10T00',
  ]);
  expect(await new ClosedDaysRegistry(registry).of('acme', 'UTC')).toEqual({
    ...{ closedThroughMs: Date.UTC(2024, 5, 10), publishedThroughMs: 0, toldThroughMs: Date.UTC(2024, 5, 10) },
  });
  await closer().close();
  expect(closed).toHaveLength(2);
  atMs = Date.UTC(2024, 5, 11, 6);
  await closer().close();
  expect(closed.slice(2)).toEqual([
    'days.closed.bulk validated berlin import 2024-06-09T22 2024-06-10T22',
    'days.closed.bulk validated m1 export 2024-06-10T00 2024-06-11T00',
    'days.closed.bulk validated m1 import 2024-06-10T00 2024-06-11T00',
  ]);
});

test('a series flow that comes later is told all days that were closed before it', async () => {
  await closer().close();
  atMs += dayMs;
  await closer().close();
  await activate(seriesRuleOf(''));
  await closer().close();
  expect(told).toContain('days.due.bulk raw m1 import 2024-06-05T00 2024-06-11T00');
  expect(told.filter((each) => each.includes('export'))).toEqual([]);
});

test('between its days a tenant is looked at only when it has an activation', async () => {
  let looks = 0;
  const one = closer(() => {
    looks += 1;
  });
  await one.close();
  atMs += 30 * 60_000;
  await one.close('due');
  expect(looks).toBe(1);
  await activate(ruleOf(''));
  await one.close('due');
  expect(looks).toBe(2);
  atMs = Date.UTC(2024, 5, 11, 5, 59);
  await one.close('due');
  expect(looks).toBe(3);
  atMs += 60_000;
  await one.close('due');
  await one.close('due');
  expect(looks).toBe(4);
});

test('a tenant that could not be closed is not tried again at once', async () => {
  failures = 1;
  const one = closer();
  await one.close('due');
  await one.close('due');
  expect(told).toEqual(['acme: the bus is down']);
  atMs += 60_000;
  await one.close('due');
  expect(closed).toHaveLength(2);
});

test('years of history are told in notices that a stage can take as a whole', async () => {
  await activate(seriesRuleOf(''));
  atMs = nowMs + 5 * 366 * dayMs;
  await closer().close();
  const own = told.filter((each) => each.includes(' m1 '));
  expect(own).toHaveLength(Math.ceil((5 * 366 + 5) / 100));
  expect(own.at(-1)).toContain('m1 import 2024-06-05T00');
  expect(own[0]).toBe('days.due.bulk raw m1 import 2029-03-06T00 2029-06-14T00');
});

test('of years of history, two months are told closed at first', async () => {
  atMs = nowMs + 5 * 366 * dayMs;
  await closer().close();
  expect(closed).toContain('days.closed.bulk validated m1 import 2029-04-13T00 2029-06-14T00');
  expect(closed.join()).not.toContain('import 2024');
});

test('days that were closed before a series was registered are told of it once, up to its first reading', async () => {
  await closer().close();
  closed = [];
  atMs += hourMs;
  await register('late', { intervalMs: hourMs, sinceMs: Date.UTC(2024, 5, 6, 13) });
  await register('m1', { intervalMs: hourMs, sinceMs: Date.UTC(2024, 5, 2) });
  await register('old', { intervalMs: hourMs, sinceMs: Date.UTC(2020, 5, 2) });
  atMs = nowMs + dayMs;
  await closer().close();
  const day = '2024-06-10T00 2024-06-11T00';
  expect(closed.filter((each) => !each.includes('berlin')).map((each) => each.split(' ').slice(2).join(' '))).toEqual([
    'late import 2024-06-06T00 2024-06-10T00',
    `late import ${day}`,
    `m1 export ${day}`,
    'm1 import 2024-06-02T00 2024-06-05T00',
    `m1 import ${day}`,
    'old import 2024-04-10T00 2024-06-10T00',
    `old import ${day}`,
  ]);
  closed = [];
  // Said once more, it is nothing new.
  await register('late', { sinceMs: Date.UTC(2024, 5, 6, 13) });
  atMs += dayMs;
  await closer().close();
  expect(closed).toHaveLength(5);
});

test('a registered series that never sent anything is told from the day on that readings are expected', async () => {
  await activate(seriesRuleOf(''));
  await register('silent', { intervalMs: hourMs, sinceMs: Date.UTC(2024, 5, 8, 13) });
  await register('m1', { intervalMs: hourMs, sinceMs: Date.UTC(2024, 5, 3) });
  await closer().close();
  expect(told).toEqual([
    'days.due.bulk raw m1 import 2024-06-03T00 2024-06-10T00',
    'days.due.bulk raw silent import 2024-06-08T00 2024-06-10T00',
  ]);
  for (const [meter, day] of [
    ['m1', 3],
    ['silent', 8],
  ] as const) {
    const series = { meter, channel: 'import' };
    await new ToldSince(registry).lower([{ tenant: 'acme', series, timeZone: 'UTC', sinceMs: Date.UTC(2024, 5, day) }]);
  }
  atMs += dayMs;
  await register('new', { intervalMs: hourMs });
  atMs += dayMs;
  await closer().close();
  expect(told.slice(2)).toEqual([
    'days.due.bulk raw berlin import 2024-06-09T22 2024-06-11T22',
    'days.due.bulk raw m1 import 2024-06-10T00 2024-06-12T00',
    'days.due.bulk raw new import 2024-06-10T00 2024-06-12T00',
    'days.due.bulk raw silent import 2024-06-10T00 2024-06-12T00',
  ]);
});

test('a series that begins earlier than was told is told of the days up to there', async () => {
  await activate(seriesRuleOf(''));
  await register('silent', { intervalMs: hourMs, sinceMs: Date.UTC(2024, 5, 8, 13) });
  await closer().close();
  const place = { tenant: 'acme', series: { meter: 'silent', channel: 'import' }, timeZone: 'UTC' };
  await new ToldSince(registry).lower([{ ...place, sinceMs: Date.UTC(2024, 5, 8) }]);
  await register('silent', { sinceMs: Date.UTC(2024, 5, 2, 13) });
  atMs += dayMs;
  await closer().close();
  expect(told.filter((each) => each.includes('silent')).slice(1)).toEqual([
    'days.due.bulk raw silent import 2024-06-10T00 2024-06-11T00',
    'days.due.bulk raw silent import 2024-06-02T00 2024-06-08T00',
  ]);
});

test('days that only an activation of their span looks at are closed under a newer one beside it', async () => {
  await activate(seriesRuleOf(''));
  const activations = new Activations({ registry, nowMs: () => atMs, activationLeaseMs: 0 });
  const flow = { ...flowOf('x', []), steps: [{ rule: ruleOf(''), parameters: {}, channels: 'import' }] };
  await activations.create('acme', { flow, decimals: 3, fromMs: Date.UTC(2024, 5, 9), toMs: instantMsMax });
  await closer().close();
  expect(told).toEqual(['days.due.bulk raw m1 import 2024-06-05T00 2024-06-10T00']);
});

test('days before the first are told where a rule looks ahead', async () => {
  await activate(seriesRuleOf('', { lookAheadDays: 2 }));
  await closer().close();
  expect(told).toContain('days.due.bulk raw m1 import 2024-06-03T00 2024-06-10T00');
});

test('of more series than are looked up together each is told once, whatever its zone', async () => {
  await activate(seriesRuleOf(''));
  const zones = ['UTC', 'Asia/Tokyo', 'Pacific/Auckland'] as const;
  const series = new SeriesRegistry({ registry, nowMs: () => atMs, cacheMs: 0 });
  await series.apply(
    'acme',
    Array.from({ length: 1_200 }, (_, number) => ({
      series: { meter: `many ${number}`, channel: 'import' },
      part: { timeZone: zones[number % 3] as string },
      facts: {},
      validity: { fromMs: Date.UTC(2024, 5, 8) },
    })),
  );
  await closer().close();
  const meters = told.filter((each) => each.includes(' many ')).map((each) => each.split(' ').slice(2, 4).join(' '));
  expect(meters).toHaveLength(1_200);
  expect(new Set(meters).size).toBe(1_200);
});

import { expect, test } from 'vitest';
import { ZodError } from 'zod';
import { registerChannel, registerNames, registerOfChannel, registerPlan } from './register-calendar.ts';
import { CalendarRefusedError, RegisterCalendars, UnknownCalendarError } from './register-calendars.ts';
import { SeriesRegistry } from './series-registry.ts';
import { MemoryRegistry } from './testing/memory-registry.ts';

const hourMs = 3_600_000;
const period = { from: '2024-01-01', weekday: { '00:00': 'off', '08:00': 'peak' }, weekend: { '00:00': 'off' } };
const calendars = (registry = new MemoryRegistry()): RegisterCalendars =>
  new RegisterCalendars({ registry, nowMs: () => 0, cacheMs: -1 });

test('a calendar is made, changed and removed; every register that it had stays known', async () => {
  const all = calendars();
  await all.put('acme', 'tariff', { periods: [period] });
  await all.put('acme', 'gas-day', { dayStartsAt: '06:00' });
  expect((await all.list('acme')).map(({ name }) => name)).toEqual(['gas-day', 'tariff']);
  expect(await all.list('other')).toEqual([]);
  await all.put('acme', 'tariff', { periods: [{ ...period, weekday: { '00:00': 'day' } }] });
  const changed = (await all.snapshot('acme')).of('tariff');
  expect(changed).toMatchObject({ isRemoved: false, formerRegisters: ['peak'], plan: { registers: ['day', 'off'] } });
  await all.remove('acme', 'tariff');
  const snapshot = await all.snapshot('acme');
  expect(snapshot.of('tariff')).toMatchObject({ isRemoved: true, formerRegisters: ['off', 'peak', 'day'] });
  expect(snapshot.registersEver()).toHaveLength(4);
  await expect(all.require('acme', 'tariff')).rejects.toThrow(UnknownCalendarError);
  // Whoever was interrupted does it once more.
  await all.remove('acme', 'tariff');
  await expect(all.remove('acme', 'other')).rejects.toThrow(UnknownCalendarError);
});

test('the plan stays one object until it changes, so that what was worked out of it is kept', async () => {
  const all = calendars();
  await all.put('acme', 'tariff', { periods: [period] });
  const { plan } = (await all.snapshot('acme')).of('tariff') ?? {};
  expect((await all.snapshot('acme')).of('tariff')?.plan).toBe(plan);
  await all.put('acme', 'tariff', { periods: [period], holidays: ['2024-05-01'] });
  expect((await all.snapshot('acme')).of('tariff')?.plan).not.toBe(plan);
});

test('other days are another calendar', async () => {
  const all = calendars();
  await all.put('acme', 'x', { dayStartsAt: '06:00' });
  await expect(all.put('acme', 'x', { dayStartsAt: '05:00' })).rejects.toThrow(CalendarRefusedError);
  await expect(all.put('acme', 'x', { periods: [period] })).rejects.toThrow(CalendarRefusedError);
});

test.each([
  [{ dayStartsAt: '24:00' }],
  [{ dayStartsAt: '06:00', periods: [period] }],
  [{ periods: [] }],
  [{ periods: [{ ...period, weekday: { '06:00': 'peak' } }] }],
  [{ periods: [{ from: '2024-01-01', weekday: period.weekday }] }],
  [{ periods: [{ ...period, from: '2024-02-30' }] }],
  [{ periods: [period, { ...period, from: '2023-01-01' }] }],
  [{ periods: [{ ...period, weekday: { '00:00': 'Peak!' } }] }],
  [{ periods: [period], holidays: ['25.12.2024'] }],
])('%j is no calendar', async (definition) => {
  await expect(calendars().put('acme', 'x', definition)).rejects.toThrow(ZodError);
});

test('days that are not told by themselves are as others', () => {
  const definition = { holidays: [], periods: [{ ...period, sunday: { '00:00': 'low' } }] };
  expect(registerNames(definition)).toEqual(['low', 'off', 'peak']);
  const [{ switches } = { switches: undefined }] = registerPlan(definition).periods;
  expect(switches).toEqual({
    weekday: [
      { atMs: 0, register: 1 },
      { atMs: 8 * hourMs, register: 2 },
    ],
    saturday: [{ atMs: 0, register: 1 }],
    sunday: [{ atMs: 0, register: 0 }],
    holiday: [{ atMs: 0, register: 0 }],
  });
});

test('a channel names its register, and no channel is longer than one may be', () => {
  const name = registerChannel('1-0:1.8.0*255', 'tariff', 'off-peak') ?? '';
  expect(name).toBe('1-0:1.8.0*255@tariff.off-peak');
  expect(registerOfChannel(name)).toEqual({ channel: '1-0:1.8.0*255', calendar: 'tariff', register: 'off-peak' });
  expect(registerOfChannel('import@gas-day')).toEqual({ channel: 'import', calendar: 'gas-day', register: '' });
  expect(registerOfChannel('import')).toBeUndefined();
  expect(registerChannel('x'.repeat(60), 'tariff', 'peak')).toBeUndefined();
});

test('a series has its tenant’s calendars, or its own, and remembers those that it had', async () => {
  const registry = new MemoryRegistry();
  const series = new SeriesRegistry({ registry, nowMs: () => 0, cacheMs: 0 });
  await series.setDefault('acme', { calendars: ['gas-day'] });
  const m = { meter: 'm', channel: 'import' };
  expect(await series.current('acme', m)).toMatchObject({ calendars: ['gas-day'], formerCalendars: [] });
  await series.set('acme', m, { calendars: ['tariff'] });
  expect(await series.current('acme', m)).toMatchObject({ calendars: ['tariff'], formerCalendars: ['gas-day'] });
  await series.set('acme', m, { calendars: [] });
  expect(await series.current('acme', m)).toMatchObject({ calendars: [], formerCalendars: ['gas-day', 'tariff'] });
  await series.setDefault('acme', { calendars: [] });
  expect(await series.current('acme')).toMatchObject({ calendars: [], formerCalendars: ['gas-day'] });
  const change = { series: m, part: { calendars: ['gas-day'] }, facts: {}, validity: { fromMs: 0 } };
  expect((await series.apply('acme', [change])).touched).toHaveLength(1);
  expect((await series.apply('acme', [change])).touched).toHaveLength(0);
});

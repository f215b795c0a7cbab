import type { AdmittedRequest } from '@meterflow/http';
import {
  DueRecomputes,
  RegisterCalendars,
  SeriesRegistry,
  seriesSettingsMsMax,
  type TouchedSeries,
} from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/memory';
import { expect, test } from 'vitest';
import { calendarRoutes } from './calendars.ts';

type Ports = Parameters<typeof calendarRoutes>[0];

/** Calendars of a tenant with one series, and what was done about them, in order. */
async function world() {
  const ports = { registry: new MemoryRegistry(), nowMs: () => 0, cacheMs: -1 };
  const [series, calendars] = [new SeriesRegistry(ports), new RegisterCalendars(ports)];
  await series.set('acme', { meter: 'm', channel: 'import' }, { calendars: ['gas'] });
  const done: string[] = [];
  let ids = 0;
  const routes = calendarRoutes({
    ...{ series, calendars },
    dueRecomputes: new DueRecomputes({ ...ports, newId: () => `i${++ids}` }),
    tenants: { require: () => Promise.resolve({}) },
    sources: { list: () => Promise.resolve([{}]) },
    recomputes: {
      recomputeTouched: async (_tenant: string, touched: AsyncIterable<TouchedSeries>) => {
        for await (const each of touched) {
          done.push(`computes ${each.series.meter}`);
        }
      },
    },
    sleep: (ms: number, signal: AbortSignal) => {
      done.push(ms > seriesSettingsMsMax && !signal.aborted ? 'waits' : 'does not wait');
      return Promise.resolve();
    },
  } as unknown as Ports);
  const call = async (method: string, more: object): Promise<readonly string[]> => {
    const request = { principal: { tenant: 'acme' }, params: { name: 'gas' }, signal: AbortSignal.abort(), ...more };
    await routes
      .find((route) => route.method === method)
      ?.handle(request as unknown as AdmittedRequest<unknown, unknown, unknown>);
    return done.splice(0);
  };
  return call;
}

test('nothing is computed anew before every service knows of a change, though who made it has gone away', async () => {
  const call = await world();
  expect(await call('PUT', { body: { dayStartsAt: '06:00' } })).toEqual(['waits', 'computes m']);
});

test('a removal that was interrupted is done once more, and what was computed is withdrawn', async () => {
  const call = await world();
  await call('PUT', { body: { dayStartsAt: '06:00' } });
  expect(await call('DELETE', {})).toEqual(['waits', 'computes m']);
  expect(await call('DELETE', {})).toEqual(['waits', 'computes m']);
});

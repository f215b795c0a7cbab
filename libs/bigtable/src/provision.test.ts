import { FatalError, PermanentError, TransientError } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { cellBytesMax, rowKeyBytesMax } from './client/limits.ts';
import { bigtableSchema, retentionDaysDefault, tables } from './schema.ts';
import { withEmulator } from './testing/temporary-stores.ts';
import { inQualifiers } from './wire/row-filter.ts';

withEmulator('tables', (emulator) => {
  test('are made once, checked after, and corrected where they differ', async () => {
    const stores = await emulator.open({ only: [] });
    const declared = bigtableSchema(undefined, 'prov_');
    const missing = await stores.provision(declared, { checkOnly: true });
    expect(missing).toEqual(declared.map(({ name }) => ({ table: name, what: 'missing-table' })));
    expect(await stores.provision(declared)).toHaveLength(declared.length);
    expect(await stores.provision(declared)).toEqual([]);
    const longer = bigtableSchema({ ...retentionDaysDefault, readings: 5_000 }, 'prov_');
    const drift = { table: 'prov_readings', family: 's', what: 'other-retention' };
    expect(await stores.provision(longer, { checkOnly: true })).toEqual([drift]);
    const [readings, ...rest] = longer;
    const wider = { ...readings!, families: [...readings!.families, { name: 'z', keeps: { versionsMax: 2 } }] };
    expect(await stores.provision([wider, ...rest])).toEqual([
      drift,
      { table: 'prov_readings', family: 'z', what: 'missing-family' },
    ]);
    expect(await stores.provision([wider, ...rest], { checkOnly: true })).toEqual([]);
    await stores.close();
  });

  test('that are missing stop the process, with what to do', async () => {
    const stores = await emulator.open({ only: [] });
    await expect(stores.tickets.take('acme')).rejects.toThrow(FatalError);
    await expect(stores.tickets.take('acme')).rejects.toThrow('run provision');
    await stores.close();
  });

  test('refuse what passes a limit of the service, before it is sent', async () => {
    const stores = await emulator.open({ only: ['registry'] });
    const table = stores.table(tables.registry.name);
    const set = (bytes: number, micros = 1_000) => ({
      set: { family: 'e', qualifier: Buffer.from('q'), micros, value: Buffer.alloc(bytes) },
    });
    const mutate = (key: Buffer, mutation: ReturnType<typeof set>) => table.mutate([{ key, mutations: [mutation] }]);
    await expect(mutate(Buffer.from('k'), set(cellBytesMax + 1))).rejects.toThrow(PermanentError);
    await expect(mutate(Buffer.alloc(rowKeyBytesMax + 1, 'k'), set(1))).rejects.toThrow(PermanentError);
    for (const micros of [0, -1_000, 1_234_567]) {
      await expect(mutate(Buffer.from('k'), set(1, micros))).rejects.toThrow(RangeError);
    }
    await mutate(Buffer.from('k'), set(cellBytesMax));
    const { cells } = await table.readRow(Buffer.from('k'), inQualifiers({ family: 'e' }));
    expect(cells[0]?.value.length).toBe(cellBytesMax);
    await stores.close();
  });

  test('of which one row fails keep the others, and only what failed is tried again', async () => {
    const slept: number[] = [];
    const clock = { nowMs: () => Date.now(), sleep: (ms: number) => Promise.resolve(void slept.push(ms)) };
    const stores = await emulator.open({ only: ['registry'], clock, random: () => 0 });
    const table = stores.table(tables.registry.name);
    const change = (key: string, family: string) => ({
      key: Buffer.from(key),
      mutations: [{ set: { family, qualifier: Buffer.from('q'), micros: 1_000, value: Buffer.from(key) } }],
    });
    const writes = [change('a', 'e'), change('b', 'nowhere'), change('c', 'e')];
    await expect(table.mutate(writes)).rejects.toThrow(TransientError);
    expect(slept).toEqual([50, 100, 200]);
    const rows = await table.read({ keys: writes.map(({ key }) => key), filter: inQualifiers({ family: 'e' }) });
    expect(rows.map(({ key }) => key.toString())).toEqual(['a', 'c']);
    await stores.close();
  });

  test('that can not be reached make a call fail for now, after some tries', async () => {
    const retry = { attemptsMax: 2, backOffMs: 1, backOffMsMax: 1 };
    const stores = await emulator.open({ only: [] });
    const away = emulator.reopen(stores, { emulator: '127.0.0.1:1', retry });
    await expect(away.tickets.take('acme')).rejects.toThrow(TransientError);
    await stores.close();
  });
});

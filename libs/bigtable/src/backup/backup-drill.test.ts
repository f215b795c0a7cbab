import { expect, test } from 'vitest';
import { fillSystem } from '../testing/filled-system.ts';
import { withEmulator, type OpenStores } from '../testing/temporary-stores.ts';
import { backupLines, restoreLines } from './row-lines.ts';

async function exported(stores: OpenStores): Promise<string> {
  let text = '';
  for await (const lines of stores.exportLines()) {
    text += lines;
  }
  return text;
}

async function backedUp(stores: OpenStores): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of backupLines(stores)) {
    lines.push(line.slice(0, -1));
  }
  return lines;
}

async function* from(lines: readonly string[]): AsyncGenerator<string> {
  yield* await Promise.resolve(lines);
}

withEmulator('the drill', (emulator) => {
  test('what was backed up and restored into an empty instance is what it was, to the last counter', async () => {
    const [here, there] = [await emulator.open(), await emulator.open()];
    await fillSystem(here);
    const lines = await backedUp(here);
    expect(await restoreLines(there, from(lines))).toBe(lines.length - 2);
    expect(await exported(there)).toBe(await exported(here));
    expect((await exported(there)).split('\n').length).toBeGreaterThan(190);
    expect(await there.registry.get('setting', 'acme/x')).toEqual(await here.registry.get('setting', 'acme/x'));
    expect(await there.tickets.take('acme')).toBe(2);
    // Once more changes nothing.
    const before = await backedUp(there);
    await restoreLines(there, from(before));
    expect(await backedUp(there)).toEqual(before);
  });

  test('nothing comes back that was erased since: the tombstones of a later backup are laid over it', async () => {
    const [here, there] = [await emulator.open(), await emulator.open()];
    await fillSystem(here);
    const early = await backedUp(here);
    for (const layer of ['raw', 'validated'] as const) {
      await here.readings(layer).erase({ tenant: 'acme', series: { meter: 'm1' }, upTo: 2_000 });
    }
    const late = await backedUp(here);
    await restoreLines(there, from(early));
    expect(await exported(there)).toContain('"meter":"m1"');
    // The tombstones, and the counter, which must not fall behind them.
    expect(await restoreLines(there, from(late), { tombstonesOnly: true })).toBe(3);
    const readingsOf = (text: string): string[] => text.split('\n').filter((line) => line.includes('"layer"'));
    expect(readingsOf(await exported(there))).toEqual(readingsOf(await exported(here)));
    expect(readingsOf(await exported(there)).join()).not.toContain('"meter":"m1"');
  });

  test('a backup that is cut short, or none at all, is told', async () => {
    const [here, there] = [await emulator.open(), await emulator.open()];
    await fillSystem(here);
    const lines = await backedUp(here);
    await expect(restoreLines(there, from(lines.slice(0, -1)))).rejects.toThrow(/not whole/);
    await expect(restoreLines(there, from(['{}']))).rejects.toThrow(/no backup/);
    await expect(restoreLines(there, from([]))).rejects.toThrow(/not whole/);
  });
});

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBigtable } from '@meterflow/bigtable';
import { skippedWithout, startBigtableEmulator, startPubsubEmulator } from '@meterflow/emulators';
import { googleErasablePlaces } from '@meterflow/platform';
import { eraseEverywhere, knownErasures } from '@meterflow/service';
import { expect, test } from 'vitest';
import { backupCommand } from './backup-command.ts';
import { groundOf } from './ground.ts';
import { provisionCommand } from './provision-command.ts';

process.env['METADATA_SERVER_DETECTION'] = 'none';

async function told(
  command: typeof backupCommand,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  let said = '';
  const say = (text: string): void => {
    said += text;
  };
  return { exitCode: await command(args, environment, { line: say, problem: say }), said };
}

test('the command tells what it takes', async () => {
  expect((await told(backupCommand, ['--help'])).said).toContain('--tombstones-only');
  expect(await told(backupCommand, [])).toMatchObject({ exitCode: 2 });
  expect((await told(backupCommand, ['--out', 'x'])).said).toContain('METERFLOW_GOOGLE_PROJECT');
});

const skipped = skippedWithout('pubsub-emulator') || skippedWithout('bigtable-emulator');

test.skipIf(skipped)(
  'an instance is backed up to a file and restored into another [needs pubsub-emulator] [needs bigtable-emulator]',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'backup-'));
    const out = join(folder, 'rows.gz');
    const parts = await Promise.all([startPubsubEmulator(), startBigtableEmulator()]);
    const environment = {
      METERFLOW_GOOGLE_PROJECT: 'p',
      PUBSUB_EMULATOR_HOST: parts[0].address,
      BIGTABLE_EMULATOR_HOST: parts[1].address,
    };
    const open = (instance: string) => openBigtable({ projectId: 'p', instance, emulator: parts[1].address });
    const [here, there] = [open('here'), open('there')];
    try {
      for (const instance of ['here', 'there']) {
        await told(provisionCommand, ['--instance', instance], environment);
      }
      await here.registry.put('setting', 'acme/x', { value: { x: 1 }, expectedRevision: 0 });
      expect(await told(backupCommand, ['--out', out, '--instance=here'], environment)).toMatchObject({ exitCode: 0 });
      const restored = await told(backupCommand, ['--restore', out, '--instance=there'], environment);
      expect(restored).toEqual({ exitCode: 0, said: '1 rows written, 0 erasures applied.' });
      expect(await there.registry.get('setting', 'acme/x')).toMatchObject({ value: { x: 1 } });

      // What was erased after the backup stays erased in what is restored of it, in receipts too.
      const { sourceId } = await here.sources().accept({
        ...{ tenant: 'acme', kind: 'file', identity: 'i', contentHash: 'x', label: 'm1.csv', mapping: 'm@1' },
        ...{ sourceVersion: 0, activation: 1, nowMs: 1_000, readingsPerBatch: 9, startsFromMs: 0, intervalLengths: '' },
      });
      await told(backupCommand, ['--out', out, '--instance=here'], environment);
      const { config } = groundOf({ project: 'p', instance: 'here' }, environment);
      const request = { tenant: 'acme', series: { meter: 'm1' }, upToMs: 2_000, id: 'x' };
      const { ticket } = await eraseEverywhere(await googleErasablePlaces(here, config), request);
      await told(backupCommand, ['--out', `${out}.later`, '--instance=here'], environment);
      await told(backupCommand, ['--restore', out, '--instance=there'], environment);
      expect((await there.sources().receipt('acme', sourceId))?.label).toBe('m1.csv');
      const later = ['--restore', `${out}.later`, '--tombstones-only', '--instance=there'];
      expect((await told(backupCommand, later, environment)).said).toMatch(/of what was erased, 1 erasures applied/);
      expect((await there.sources().receipt('acme', sourceId))?.label).toBe('');
      expect(await there.tickets.take('acme')).toBeGreaterThan(ticket);
      expect(await knownErasures(there.registry)).toEqual([{ ...request, ticket }]);

      const absent = await told(backupCommand, ['--out', `${out}.2`, '--instance=nowhere'], environment);
      expect(absent.exitCode).toBe(1);
      expect(existsSync(`${out}.2.part`)).toBe(false);
      writeFileSync(out, 'damaged');
      const damaged = await told(backupCommand, ['--restore', out, '--instance=there'], environment);
      expect(damaged.exitCode).toBe(1);
    } finally {
      await Promise.all([here.close(), there.close()]);
      await Promise.all(parts.map((part) => part.stop()));
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);

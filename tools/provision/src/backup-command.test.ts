import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBigtable } from '@meterflow/bigtable';
import { skippedWithout, startBigtableEmulator, startPubsubEmulator } from '@meterflow/emulators';
import { expect, test } from 'vitest';
import { backupCommand } from './backup-command.ts';
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
      expect(restored).toEqual({ exitCode: 0, said: '1 rows written.' });
      expect(await there.registry.get('setting', 'acme/x')).toMatchObject({ value: { x: 1 } });

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

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emulatedGround } from './server/emulated-ground.ts';
import type { OpenGround } from './server/ground.ts';
import { commandIn, newDataDir, startTestServer } from './testing/test-server.ts';

const sample = resolve(import.meta.dirname, '../../../samples/london-households.csv');
// Loaded as the command loads it: only where emulators are asked for.
const { skippedWithout } = await import('@meterflow/emulators');
const needed = ['pubsub-emulator', 'bigtable-emulator', 'redis'] as const;

describe.skipIf(needed.some((part) => skippedWithout(part)))(
  `services on Google's emulators [needs ${needed.join(', ')}]`,
  () => {
    let folder: string;
    let corrections: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'meterflow-google-'));
      corrections = join(folder, 'corrections.csv');
      writeFileSync(corrections, correctionsOf(readFileSync(sample, 'utf8')));
    });

    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    /** The canonical export after the sample, its corrections and both once more. */
    async function exported(name: string, openGround?: OpenGround): Promise<string> {
      const place = newDataDir();
      const server = await startTestServer(place.dataDir, openGround === undefined ? {} : { openGround });
      try {
        for (const file of [sample, corrections, sample, corrections]) {
          await commandIn(place.dataDir, ['import', file]);
        }
        const target = join(folder, `${name}.ndjson`);
        await commandIn(place.dataDir, ['export', '--out', target]);
        return readFileSync(target, 'utf8');
      } finally {
        await server.stop();
        place.remove();
      }
    }

    test('the canonical export is that of the embedded platform, byte by byte', async () => {
      const google = await exported('google', emulatedGround);
      const embedded = await exported('embedded');
      expect(google.length).toBeGreaterThan(1_000_000);
      // Not toBe: a difference would be printed as a whole.
      expect(firstDifference(google, embedded)).toBeUndefined();
    }, 120_000);
  },
);

/** Every 40th line with another value, and one that can't be read. */
function correctionsOf(csv: string): string {
  const [header, ...lines] = csv.trimEnd().split('\n');
  const changed = lines.filter((_, index) => index % 40 === 0).map((line) => line.replace(/, (\d)/, ', 1$1'));
  return [header, ...changed, 'no reading at all', ''].join('\n');
}

function firstDifference(left: string, right: string): readonly [string, string] | undefined {
  const others = right.split('\n');
  const lines = left.split('\n');
  const at = lines.findIndex((line, index) => line !== others[index]);
  return at < 0 && lines.length === others.length ? undefined : [lines[at] ?? '', others[at] ?? ''];
}

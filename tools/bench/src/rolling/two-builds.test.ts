import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skippedWithout } from '@meterflow/emulators';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet } from './fleet.ts';
import { nextBuild, nextFormat } from './next-build.ts';
import { rollBuilds } from './roll-builds.ts';
import { storedFormats } from './stored-formats.ts';

const needed = ['pubsub-emulator', 'bigtable-emulator', 'redis'] as const;

let folder: string;
let fleet: Fleet | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meterflow-builds-'));
});

afterEach(async () => {
  await fleet?.close();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(needed.some((part) => skippedWithout(part)))(
  `persistence of the next build, with an added field in messages and cells, takes over and gives back: nothing is lost, refused or dead [needs ${needed.join(', ')}]`,
  { timeout: 600_000 },
  async () => {
    fleet = await Fleet.open(folder);
    const end = await rollBuilds(fleet, {
      services: ['ingest', 'rule-execution', 'aggregation', 'persistence'],
      rolled: ['persistence'],
      next: nextBuild(folder),
      nextFormat,
      pushesPerSecond: 2,
      pushesEach: 4,
    });
    expect(end).toMatchObject({ lost: 0, deadLetters: 0, refused: 0 });
    expect(end.readings).toBeGreaterThan(0);
    // A message that one build leaves unsettled, the other makes anew in its own bytes: that is absorbed by the write.
    expect(await storedFormats(fleet)).toEqual(new Set([nextFormat - 1, nextFormat]));
  },
);

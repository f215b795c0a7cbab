import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skippedWithout } from '@meterflow/emulators';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet, fleetServices } from './fleet.ts';
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
  `two builds of all services, one with an added field in messages and cells, share every subscription, rolled forward and back: nothing is lost, refused or dead [needs ${needed.join(', ')}]`,
  { timeout: 1_200_000 },
  async () => {
    fleet = await Fleet.open(folder);
    const end = await rollBuilds(fleet, {
      services: fleetServices,
      rolled: fleetServices,
      next: nextBuild(folder),
      nextFormat,
      pushesPerSecond: 4,
      pushesEach: 20,
    });
    expect(end).toMatchObject({ lost: 0, deadLetters: 0, refused: 0 });
    expect(end.readings).toBeGreaterThan(0);
    // A message that one build leaves unsettled, the other makes anew in its own bytes: that is absorbed by the write.
    expect(await storedFormats(fleet)).toEqual(new Set([nextFormat - 1, nextFormat]));
  },
);

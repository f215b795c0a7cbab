import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { erasablePlaces, openEmbeddedPlatform } from '@meterflow/embedded';
import { silentTelemetry } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { erasureDesk } from './erasure-desk.ts';

test('an erasure that waited for another covers what was accepted until it began', async () => {
  const root = mkdtempSync(join(tmpdir(), 'erasure-desk-'));
  const platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
  try {
    let nowMs = 1_000;
    const places = () => {
      nowMs += 1_000;
      return erasablePlaces(platform);
    };
    const desk = erasureDesk(places, { nowMs: () => nowMs, newId: () => `id${nowMs}` });
    const asked = ['m1', 'm2'].map((meter) => desk.erase({ tenant: 'acme', series: { meter } }));
    expect((await Promise.all(asked)).map(({ upToMs }) => upToMs)).toEqual([1_000, 2_000]);
  } finally {
    await platform.close();
    rmSync(root, { recursive: true });
  }
});

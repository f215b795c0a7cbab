import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareWithController } from './compare-with-controller.ts';
import { print } from '@meterflow/command-line';

/** Runs the HPA controller's own code in fake time; builds it where it has not been built. */
const hpaReplay = join(process.env['METERFLOW_SHARED'] ?? '', 'tools/control-plane/hpa-replay.sh');
/** A scenario costs 0.3 seconds of CPU, most of them the controller's. */
const scenarios = Number(process.env['METERFLOW_HPA_SCENARIOS'] ?? 1_000);
/** A comparison that was broken off goes on with the seed after the last one that it told of. */
const firstSeed = Number(process.env['METERFLOW_HPA_SEED'] ?? 1);
const scenariosPerSeed = 500;
/** Forty times what it costs: it may run beside other work, with what that leaves. */
const scenarioMsMax = 12_000;
const parts = Array.from({ length: Math.ceil(scenarios / scenariosPerSeed) }, (_, i) => ({
  seed: firstSeed + i,
  count: Math.min(scenariosPerSeed, scenarios - i * scenariosPerSeed),
}));

describe.skipIf(!existsSync(hpaReplay))('the model of the HPA controller [needs shared]', () => {
  test.each(parts)(
    'decides as the controller at every sync of $count random scenarios (seed $seed)',
    async ({ seed, count }) => {
      const { differences, changes, ...sum } = await compareWithController({ hpaReplay, scenarios: count, seed });
      print(
        `seed ${seed}: ${sum.scenarios} scenarios, ${sum.syncs} syncs, ${changes} changes, ${differences.length} differences; ` +
          `${sum.unsteady} that the replay decides otherwise from run to run`,
      );
      expect(differences.slice(0, 1)).toEqual([]);
      // Only where the replay waits for nobody between failures: seldom, and not to become more.
      expect(sum.unsteady).toBeLessThanOrEqual(Math.ceil(count / 100));
      expect(changes).toBeGreaterThan(count);
    },
    Math.min(scenarios, scenariosPerSeed) * scenarioMsMax,
  );
});

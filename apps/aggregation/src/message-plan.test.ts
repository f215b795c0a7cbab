import { dayMs } from '@meterflow/aggregates';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localDay, messagePlans } from './message-plan.ts';
import { utcZones } from './series-zones.ts';
import { causeOf, touchedSpans } from './testing/notices.ts';
import type { TouchedPart } from './touched-parts.ts';
import type { WindowSet } from './window-set.ts';

const zones = await utcZones.snapshotOf('acme', []);

function daysOf(windows: WindowSet): string[] {
  return [...windows.runs()].flatMap(({ series, first, end }) =>
    Array.from({ length: end - first }, (_, day) => `${series.meter} ${first + day}`),
  );
}

const parts = fc
  .array(fc.array(fc.record({ meter: fc.constantFrom('a', 'b', 'c', 'd', 'e'), day: fc.nat(9), days: fc.nat(4) })), {
    maxLength: 12,
  })
  .map((all) =>
    all.map((rows, part): TouchedPart => ({
      touched: touchedSpans(
        rows.map(({ meter, day, days }) => ({ meter, fromMs: day * dayMs, toMs: (day + days + 1) * dayMs })),
      ),
      causes: [causeOf(part)],
    })),
  );

test('law: each part is in one message, with all of its windows, and no message of several parts has too many', () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 20 }), (all, windowsMax) => {
      const plans = messagePlans(all, zones, { windowOf: localDay, windowsMax });
      const alone = all.map((part) => messagePlans([part], zones, { windowOf: localDay, windowsMax })[0]);
      expect(
        plans
          .flatMap(({ causes }) => causes)
          .map(({ key }) => key)
          .sort(),
      ).toEqual(
        all
          .flatMap(({ causes }) => causes)
          .map(({ key }) => key)
          .sort(),
      );
      for (const { causes, windows } of plans) {
        const own = all.flatMap((part, index) =>
          causes.includes(part.causes[0]!) ? daysOf(alone[index]!.windows) : [],
        );
        expect(daysOf(windows).sort()).toEqual([...new Set(own)].sort());
        expect(causes.length === 1 || windows.count <= windowsMax).toBe(true);
      }
    }),
  );
});

test('parts that follow each other from meter to meter share their windows, however the meters are called', () => {
  const names = ['m', 'b', 'x', 'a', 'q', 'c'];
  const chain = names.slice(1).map((meter, index): TouchedPart => ({
    touched: touchedSpans([meter, names[index]!].map((each) => ({ meter: each, fromMs: 0, toMs: 10 * dayMs }))),
    causes: [causeOf(index)],
  }));
  const byName = chain.toSorted((a, b) => (a.touched.series[0]!.meter < b.touched.series[0]!.meter ? -1 : 1));
  const plans = messagePlans(byName, zones, { windowOf: localDay, windowsMax: 60 });
  expect(plans.map(({ windows }) => windows.count)).toEqual([60]);
});

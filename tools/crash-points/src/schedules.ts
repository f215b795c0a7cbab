import { faultKinds, type Fault, type Schedule } from './fault.ts';
import { pick, seededRandom } from './random.ts';

/** Every single fault that can befall a run: each kind at each side effect of each stage. */
export function everyFault(effects: ReadonlyMap<string, number>): readonly Fault[] {
  return [...effects].flatMap(([stage, count]) =>
    Array.from({ length: count }, (_, index) => index + 1).flatMap((effect) =>
      faultKinds.map((kind) => ({ stage, effect, kind })),
    ),
  );
}

/**
 * So many schedules of a seed: each single fault, or an even share of them where there are more, and then faults in pairs.
 * A pair's second fault mostly comes while what the first one broke is mended.
 */
export function schedulesOf(seed: number, effects: ReadonlyMap<string, number>, count: number): readonly Schedule[] {
  const single = everyFault(effects);
  if (count === 0) {
    return [];
  }
  if (count <= single.length) {
    const first = seed % Math.max(1, Math.floor(single.length / count));
    const shares = Array.from(
      { length: count },
      (_, index) => first + Math.floor((index * (single.length - first)) / count),
    );
    return shares.map((index) => ({ seed, faults: [single[index] as Fault] }));
  }
  const random = seededRandom('pairs', seed);
  const pairs = Array.from({ length: Math.min(count, 2 * single.length) - single.length }, () => {
    const first = pick(random, single);
    const second = pick(random, random() < 0.5 ? single : single.filter(({ stage }) => stage === first.stage));
    return [first, second];
  });
  return [...single.map((fault) => [fault]), ...pairs].map((faults) => ({ seed, faults }));
}

import { meterKey } from '../rows/series-key.ts';

const hashes = 65_536;
/** As many pieces as a large table is cut in. */
const tablets = 64;

/**
 * How evenly keys begin. `chiSquaredPerHash`: near 1 where each hash is as likely as the others; `busiestTablet`: the
 * share of the piece of the table that gets most, in fair shares.
 */
export function hashSpread(
  meters: number,
  meterOf: (index: number) => string,
): { readonly chiSquaredPerHash: number; readonly busiestTablet: number } {
  const counts = new Float64Array(hashes);
  for (let index = 0; index < meters; index++) {
    const hash = meterKey('acme', meterOf(index)).readUInt16BE();
    counts[hash] = (counts[hash] as number) + 1;
  }
  const fair = meters / hashes;
  const chiSquared = counts.reduce((sum, count) => sum + (count - fair) ** 2 / fair, 0);
  const ofTablets = Array.from({ length: tablets }, (_, tablet) =>
    counts
      .subarray((tablet * hashes) / tablets, ((tablet + 1) * hashes) / tablets)
      .reduce((sum, count) => sum + count, 0),
  );
  return { chiSquaredPerHash: chiSquared / hashes, busiestTablet: (Math.max(...ofTablets) * tablets) / meters };
}

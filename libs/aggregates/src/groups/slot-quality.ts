import { missingCode, qualityCode } from '@meterflow/readings';

const calculatedBit = 1 << qualityCode('calculated');
const estimatedBits = (1 << qualityCode('estimated')) | (1 << qualityCode('substituted'));
const measuredBit = 1 << qualityCode('measured');
export const missingBit = 1 << missingCode;

/**
 * The one quality of a series over a slot, from the bits of its readings' qualities, of which there is at least one. A
 * single quality stays what it is; of several: any calculated makes calculated, any estimated or substituted makes
 * estimated, and measured with missing is estimated too, since a part of the amount is not known.
 */
export function slotQuality(bits: number): number {
  if ((bits & (bits - 1)) === 0) {
    return Math.log2(bits);
  }
  if ((bits & calculatedBit) !== 0) {
    return qualityCode('calculated');
  }
  const estimated = (bits & estimatedBits) !== 0 || (bits & (measuredBit | missingBit)) === (measuredBit | missingBit);
  return qualityCode(estimated ? 'estimated' : 'measured');
}

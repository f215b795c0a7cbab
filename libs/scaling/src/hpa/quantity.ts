const quantityPattern = /^\+?(\d+)(?:\.(\d*))?([eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i|)$/;
const decimalExponents = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const binaryExponents = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);
/** A quantity is a short text; a longer one is not looked at. */
const quantityCharsMax = 40;

/**
 * A Kubernetes quantity (`30`, `500m`, `1k`, `2Ki`, `1e3`) in thousandths, rounded up as the API machinery's MilliValue
 * does. Throws RangeError where it is none, negative, or not exact in a number.
 */
export function milliValue(quantity: string | number): number {
  const text = String(quantity).slice(0, quantityCharsMax + 1);
  const found = quantityPattern.exec(text);
  if (found === null || text.length > quantityCharsMax) {
    throw new RangeError(`"${text}" is no positive quantity, as 30, 500m or 1k are.`);
  }
  const [, whole = '', fraction = '', suffix = ''] = found;
  const tens = decimalExponent(suffix) + 3 - fraction.length;
  const units = BigInt(whole + fraction) << BigInt(binaryExponents.get(suffix) ?? 0);
  const divisor = 10n ** BigInt(Math.max(0, -tens));
  const milli = Number((units * 10n ** BigInt(Math.max(0, tens)) + divisor - 1n) / divisor);
  if (!Number.isSafeInteger(milli)) {
    throw new RangeError(`"${text}" is too large: at most ${Number.MAX_SAFE_INTEGER} thousandths.`);
  }
  return milli;
}

function decimalExponent(suffix: string): number {
  return decimalExponents.get(suffix) ?? (/^[eE]./.test(suffix) ? Number(suffix.slice(1)) : 0);
}

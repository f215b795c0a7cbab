const int32Min = -(2 ** 31);

/**
 * A float as the controller's 32-bit count: toward zero, and what does not fit (also NaN) is the smallest one, which is
 * what the processor answers. A backlog beyond what pods can be counted for ends there.
 */
export function int32(value: number): number {
  const whole = Math.trunc(value);
  return whole >= int32Min && whole < -int32Min ? whole + 0 : int32Min;
}

export const int32Bounds = { min: int32Min, max: -int32Min - 1 } as const;

/** `raw`: as it came. `validated`: after the rules. */
export const layers = ['raw', 'validated'] as const;
export type Layer = (typeof layers)[number];

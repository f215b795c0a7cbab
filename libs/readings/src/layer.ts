/** `raw`: as it came. `validated`: after the rules. */
export const layers = ['raw', 'validated'] as const;
export type Layer = (typeof layers)[number];

/**
 * Why a validated reading that nobody sent is gone: its flow no longer makes it. Such an absence says no more than that
 * there is none, and the canonical export leaves it out.
 */
export const noLongerEmitted = 'no-longer-emitted';

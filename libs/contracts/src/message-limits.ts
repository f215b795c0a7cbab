/**
 * What one message may hold. A decoder refuses more before it allocates anything for it, an encoder makes no more. They
 * are wider than what this build makes (`readingsPerBatchMax`), so that a newer build may make somewhat larger batches.
 */
export const messageLimits = {
  /** Pub/Sub takes 10,000,000 bytes a publish request; the margin is for attributes and framing. */
  payloadBytesMax: 9_500_000,
  readingsMax: 16_384,
  seriesMax: 65_536,
  textsMax: 65_536,
  textBytesMax: 2_048,
  versionsMax: 65_536,
  causesMax: 65_536,
  sourceIdBytesMax: 512,
  sheetsMax: 65_536,
  rowsMax: 262_144,
  touchedMax: 65_536,
  completeMax: 65_536,
} as const;

/** The instants that a Date holds, in milliseconds either side of 1970. */
export const instantMsMax = 8.64e15;

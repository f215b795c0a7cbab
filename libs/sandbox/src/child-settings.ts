import type { IsolateSettings } from './isolate-cursor.ts';

/** What a child is told when it starts, as JSON in its last argument. */
export interface ChildSettings extends IsolateSettings {
  readonly isolateMiBMax: number;
  readonly isolatesMax: number;
  /** Resident memory from which on the isolates that were unused for longest are let go: well before the parent kills. */
  readonly residentBytesKept: number;
  /** An isolate that runs so long is stopped by the child itself: it ends also when nobody watches any more. */
  readonly backstopMs: number;
  readonly frameBytesMax: number;
}

/** Exit codes by which a child says why it gave up on the batch it had. */
export const exitCode = { isolateOutOfMemory: 86, backstop: 87 } as const;

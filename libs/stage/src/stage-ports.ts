import type { Deduper } from '@meterflow/dedupe';
import type { Clock } from './clock.ts';
import type { DeadLetterSink } from './dead-letters.ts';
import type { Downstream } from './downstream.ts';
import type { Publisher } from './publisher.ts';
import type { Source } from './source.ts';
import type { Sink } from './stage.ts';
import type { Telemetry } from './telemetry.ts';

/** All that a running stage touches. */
export interface StagePorts<Write> {
  readonly source: Source;
  readonly publisher: Publisher;
  readonly deduper: Deduper;
  readonly sink: Sink<Write>;
  readonly deadLetters: DeadLetterSink;
  /** Holds this stage back; absent where nothing does. */
  readonly downstream?: Downstream;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

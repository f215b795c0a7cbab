import { ackBeforePublish } from './ack-before-publish.ts';
import { cachedActivation } from './cached-activation.ts';
import { compactionSetsFirst } from './compaction-sets-first.ts';
import { counterAggregation } from './counter-aggregation.ts';
import { doneBeforeWrite } from './done-before-write.ts';
import { madeNotWrittenDown } from './made-not-written-down.ts';
import { mergeByAcceptance } from './merge-by-acceptance.ts';
import { nackOnDrain } from './nack-on-drain.ts';
import { notifyOnlyOnChange } from './notify-only-on-change.ts';
import { publishBeforeWrite } from './publish-before-write.ts';
import { seriesOutputKept } from './series-output-kept.ts';
import { seriesTicketAfterInputs } from './series-ticket-after-inputs.ts';
import { skipEqualAggregates } from './skip-equal-aggregates.ts';
import { ticketAfterRead } from './ticket-after-read.ts';
import { toldBeforePublished } from './told-before-published.ts';
import { toldSinceBeforeTold } from './told-since-before-told.ts';
import type { PlantedBug } from '../planted-bug.ts';

/** Every bug that the proof must find: a proof that finds none of them proves nothing. */
export const plantedBugs: readonly PlantedBug[] = [
  ackBeforePublish,
  doneBeforeWrite,
  publishBeforeWrite,
  mergeByAcceptance,
  compactionSetsFirst,
  counterAggregation,
  ticketAfterRead,
  notifyOnlyOnChange,
  skipEqualAggregates,
  nackOnDrain,
  seriesOutputKept,
  seriesTicketAfterInputs,
  cachedActivation,
  toldBeforePublished,
  toldSinceBeforeTold,
  madeNotWrittenDown,
];

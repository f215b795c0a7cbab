import { setTimeout as sleep } from 'node:timers/promises';
import type { GooglePlatform } from '@meterflow/platform';
import type { Receipt } from '@meterflow/receipts';
import type { Push } from './steady-load.ts';
import type { ToldCounts } from './told-counts.ts';

/** What was under load. */
export interface LoadedSystem {
  readonly platform: Pick<GooglePlatform, 'sources' | 'stores'>;
  readonly counts: Pick<ToldCounts, 'total'>;
  /** Ends every process well, so that it has told all that it counted. */
  told(): Promise<void>;
}

/** What a load came to when all of it was through. */
export interface LoadEnd {
  readonly sources: number;
  readonly readings: number;
  /** Readings that were answered and are not stored. */
  readonly lost: number;
  /** Batches that a stage handled beyond one time each. */
  readonly handledTwice: number;
  /** Messages that came to these stages more than once: given back by a drain, or their lease ran out. */
  readonly redeliveries: number;
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Readings that were rejected. */
  readonly refused: number;
  readonly receipts: readonly Receipt[];
  /** Empty when nothing is lost, handled twice, refused or dead. */
  readonly problems: readonly string[];
}

/** Each handles every batch of readings once: their subscriptions, as the counts name their stages. */
const stagesPerBatch = ['rule-execution', 'persistence-raw', 'persistence-validated'] as const;
/** Without one more that is complete. */
const standstillMsMax = 120_000;
const lookEveryMs = 2_000;
const receiptsMax = 100_000;

/**
 * Waits until every push is stored and aggregated, drains every process, so that it has told all that it counted, and
 * compares with what was sent.
 */
export async function endOf(loaded: LoadedSystem, pushes: readonly Push[]): Promise<LoadEnd> {
  const receipts = await completed(loaded);
  await loaded.told();
  const { counts } = loaded;
  const sent = new Map(pushes.map(({ sourceId, readings }) => [sourceId, readings]));
  const readings = pushes.reduce((sum, push) => sum + push.readings, 0);
  const stored = receipts
    .filter(({ sourceId }) => sent.has(sourceId))
    .reduce((sum, receipt) => sum + receipt.inserted + receipt.superseded + receipt.duplicates, 0);
  const batches = receipts.reduce((sum, receipt) => sum + receipt.batches, 0);
  const handled = stagesPerBatch.map((stage) =>
    counts.total('stage_messages_settled_total', `stage=${stage}`, 'outcome=handled'),
  );
  const deadLetters = counts.total('stage_dead_letters_total');
  const end = {
    sources: sent.size,
    readings,
    lost: readings - stored,
    handledTwice: handled.reduce((sum, count) => sum + Math.max(0, count - batches), 0),
    redeliveries: stagesPerBatch
      .map((stage) => counts.total('bus_messages_received_total', `subscription=${stage}.live`) - batches)
      .reduce((sum, again) => sum + again, 0),
    duplicates: counts.total('stage_messages_settled_total', 'outcome=duplicate'),
    deadLetters,
    refused: receipts.reduce((sum, receipt) => sum + receipt.rejected, 0),
  };
  const problems = [
    ...(end.lost === 0 ? [] : [`${end.lost} readings are lost`]),
    ...(handled.every((count) => count === batches)
      ? []
      : [
          `of ${batches} batches the stages handled ${stagesPerBatch.map((stage, at) => `${stage} ${handled[at]}`).join(', ')}`,
        ]),
    ...(deadLetters === 0 ? [] : [`${deadLetters} dead letters`]),
    ...(end.refused === 0 ? [] : [`${end.refused} readings rejected`]),
  ];
  return { ...end, receipts, problems };
}

/** Every source, once all of them are stored and aggregated; as long as that goes on, however slowly, it is waited for. */
export async function completed({ platform }: Pick<LoadedSystem, 'platform'>): Promise<readonly Receipt[]> {
  let untilMs = performance.now() + standstillMsMax;
  for (let openBefore = Infinity; ;) {
    const receipts = await platform.sources.list('default', { limit: receiptsMax });
    const open = receipts.filter(({ state }) => state !== 'complete');
    if (open.length === 0) {
      return receipts;
    }
    if (open.length < openBefore) {
      openBefore = open.length;
      untilMs = performance.now() + standstillMsMax;
    }
    if (performance.now() > untilMs) {
      const [first] = open;
      const rows = await platform.stores.ledger.summary(first?.sourceId ?? '');
      const told = JSON.stringify({ ...first, rows });
      throw new Error(
        `${open.length} of ${receipts.length} pushes are not complete, and none more for ${standstillMsMax / 1_000} s: ${told}`,
      );
    }
    await sleep(lookEveryMs);
  }
}

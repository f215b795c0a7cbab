import { durably } from '../database.ts';
import type { BusFiles } from './bus-files.ts';
import { positionOf } from './subscription-file.ts';
import { lastSeqBefore } from './topic-span.ts';

export interface Replay {
  readonly subscription: string;
  /** Everything kept that was published at or after this time comes again. */
  readonly fromMs: number;
}

/**
 * Moves a subscription back. In the same commit the epoch rises, so that done marks of earlier deliveries no longer
 * count and acks of leases from before are ignored.
 */
export function replay(files: BusFiles, { subscription: name, fromMs }: Replay): void {
  files.alone(() => {
    const { topic } = files.topology.subscription(name);
    const target = files.onTopic(topic, (database) => lastSeqBefore(database, fromMs));
    files.onSubscription(name, (subscription) => {
      durably(subscription, () => {
        const cursor = Math.min(positionOf(subscription).cursor, target);
        subscription.prepare('update position set epoch = epoch + 1, cursor = ?').run(cursor);
        subscription.prepare('delete from unsettled where id % 2 = 0 and id > ?').run(cursor * 2);
      });
    });
  });
}

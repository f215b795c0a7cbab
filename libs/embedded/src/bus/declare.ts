import { retryTopicOf } from '@meterflow/stage';
import type { DatabaseSync } from 'node:sqlite';
import { durably } from '../database.ts';
import type { BusFiles } from './bus-files.ts';
import { topicEnds } from './topic-file.ts';
import { lastSeqBefore } from './topic-span.ts';
import type { Subscription } from './topology.ts';

/** Where a new subscription begins: with all that is kept, with what comes from now on, or with a time. */
export type SubscriptionStart = 'start' | 'now' | { readonly fromMs: number };

export interface SubscriptionDeclaration extends Subscription {
  readonly from: SubscriptionStart;
}

export function declareTopic(files: BusFiles, name: string): void {
  files.alone(() => {
    files.topology.addTopic(name);
    files.onTopic(name, () => undefined);
  });
}

/** Declares the topic and the topic `<name>.retry` with it. Declared again, the subscription stays where it is. */
export function declareSubscription(files: BusFiles, declaration: SubscriptionDeclaration): void {
  files.alone(() => {
    if (!files.topology.isNew(declaration)) {
      return;
    }
    files.topology.addSubscription(declaration);
    files.onTopic(retryTopicOf(declaration.name), () => undefined);
    const cursor = files.onTopic(declaration.topic, (topic) => cursorAt(topic, declaration.from));
    // On the disk before the subscription is: it must never be there without its place.
    files.onSubscription(declaration.name, (subscription) => {
      durably(subscription, () => {
        subscription.prepare('update position set cursor = ?').run(cursor);
      });
    });
  });
}

function cursorAt(topic: DatabaseSync, from: SubscriptionStart): number {
  switch (from) {
    case 'start':
      return 0;
    case 'now':
      return topicEnds(topic).last?.seq ?? 0;
    default:
      return lastSeqBefore(topic, from.fromMs);
  }
}

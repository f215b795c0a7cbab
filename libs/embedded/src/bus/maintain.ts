import type { DatabaseSync } from 'node:sqlite';
import type { BusFiles } from './bus-files.ts';
import { settledUpTo } from './subscription-file.ts';
import { trimStep, type Retention } from './trim.ts';

/** Bounds one call: a topic that needs more is trimmed on by the next one. */
const trimStepsMax = 64;

/**
 * Copies what was committed into the topics' files, so that publishers seldom must, and trims what is settled and no
 * longer retained. In small steps, with a turn of the event loop after each. Returns how many messages were removed.
 */
export async function maintain(files: BusFiles, options: Retention & { readonly nowMs: number }): Promise<number> {
  let trimmed = 0;
  for (const name of files.topology.topics()) {
    files.onTopic(name, checkpoint);
    await turn();
    for (let step = 0; step < trimStepsMax; step += 1) {
      const removed = files.alone(() =>
        files.onTopic(name, (topic) =>
          trimStep(files.directory.topic(name), topic, { ...options, settled: settledOf(files, name) }),
        ),
      );
      await turn();
      if (removed === 0) {
        break;
      }
      trimmed += removed;
    }
  }
  return trimmed;
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Passive: waits for nobody, and nobody waits for it. */
function checkpoint(topic: DatabaseSync): void {
  topic.exec('pragma wal_checkpoint(passive)');
}

/** Up to which message every subscription of the topic has acked everything. */
function settledOf(files: BusFiles, topic: string): number {
  const retryOf = files.topology.subscriptionOfRetryTopic(topic);
  if (retryOf !== undefined) {
    return files.onSubscription(retryOf, settledUpTo).retry;
  }
  return files.topology
    .subscriptions()
    .filter((subscription) => subscription.topic === topic)
    .reduce(
      (least, { name }) => Math.min(least, files.onSubscription(name, settledUpTo).topic),
      Number.MAX_SAFE_INTEGER,
    );
}

import { createHash } from 'node:crypto';
import { defaultMapping } from '@meterflow/formats';
import { InterruptedError } from '@meterflow/ingest/stage';
import { lane } from './lane.ts';
import type { Supervisor } from './supervisor.ts';
import type { PlannedSource } from './workload.ts';
import type { Timeline } from './world.ts';

interface Sending {
  readonly supervisor: Supervisor;
  readonly time: Timeline;
}

const retryMs = 50;

/** Resolves when every sender was told of each of its sources that it is in. */
export async function sendAll(senders: readonly (readonly PlannedSource[])[], sending: Sending): Promise<void> {
  await Promise.all(
    senders.map(async (sources, sender) => {
      for (const source of sources) {
        await sending.time.sleep(source.afterMs);
        await send(source, sender, sending);
      }
    }),
  );
}

/** Sends a source until it is told that it is in: what it is not told of it sends again, under the same name. */
async function send(
  { tenant, label, delivery, csv }: PlannedSource,
  sender: number,
  { supervisor, time }: Sending,
): Promise<void> {
  const bytes = new TextEncoder().encode(csv);
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  const request = {
    tenant,
    kind: 'file',
    lane,
    identity: `${label} ${contentHash}`,
    delivery,
    contentHash,
    label,
    format: 'csv',
    mapping: defaultMapping,
    sourceVersion: 0,
    bytes: () => pieces(bytes),
  } as const;
  for (let attempt = 0; ; attempt++) {
    const door = supervisor.door(sender + attempt);
    if (door !== undefined) {
      const isIn = await Promise.race([
        door.takeIn(request).then(() => true, notIn),
        door.process.ended.then(() => false),
      ]);
      if (isIn) {
        return;
      }
    }
    await time.sleep(retryMs);
  }
}

/** A process that drains says so, and the source is sent again; anything else is a fault of the product. */
function notIn(error: unknown): boolean {
  if (error instanceof InterruptedError) {
    return false;
  }
  throw error;
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source is read as a stream
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

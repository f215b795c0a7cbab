// Publishes what it is told to `first`, leases all of it from `one`, says how many that were, and waits to be killed.
import { PubsubBus } from '../index.ts';
import { SharedEpochs } from './shared-epochs.ts';

const [projectId = '', emulator = '', ackDeadlineMs = '', ...payloads] = process.argv.slice(2);
const bus = new PubsubBus({ projectId, emulator, epochs: new SharedEpochs() });
await bus.publisher.publish(
  payloads.map((payload) => ({
    topic: 'first',
    payload: Buffer.from(payload, 'base64'),
    attributes: { tenant: 'default' },
  })),
);
const source = bus.source('one', { ackDeadlineMs: Number(ackDeadlineMs) });
let leased = 0;
while (leased < payloads.length) {
  const { signal } = new AbortController();
  leased += (await source.receive({ messagesMax: 100, bytesMax: 10_000_000, waitMs: 5_000, signal })).length;
}
process.stdout.write(String(leased));
setInterval(() => undefined, 1_000);

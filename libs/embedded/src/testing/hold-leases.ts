// Run as a process of its own: publishes, leases what there is, says how many messages, and waits to be killed.
import { systemClock } from '@meterflow/stage';
import { openBus } from '../bus/embedded-bus.ts';
import { dataDirectory } from '../data-directory.ts';

const [root = '', owner = '', ackDeadlineMs = '', ...payloads] = process.argv.slice(2);
const bus = openBus({ directory: dataDirectory(root), clock: systemClock, owner });
const messages = payloads.map((payload) => ({
  topic: 'first',
  payload: Buffer.from(payload, 'base64'),
  attributes: {},
}));
await bus.publisher.publish(messages);
const leased = await bus.source('one', { ackDeadlineMs: Number(ackDeadlineMs) }).receive({
  messagesMax: 100,
  bytesMax: 100_000_000,
  waitMs: 5_000,
  signal: new AbortController().signal,
});
process.stdout.write(`${leased.length}\n`);
setInterval(() => undefined, 1_000);

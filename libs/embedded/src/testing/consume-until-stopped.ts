// Run as a process of its own: receives and acks, and says of each message's number when it has it and when its ack is confirmed.
import { systemClock } from '@meterflow/stage';
import { openBus } from '../bus/embedded-bus.ts';
import { dataDirectory } from '../data-directory.ts';

const [root = '', name = ''] = process.argv.slice(2);
const bus = openBus({ directory: dataDirectory(root), clock: systemClock, owner: name });
const source = bus.source('s', { ackDeadlineMs: 60_000 });
const signal = new AbortController().signal;
for (;;) {
  const messages = await source.receive({ messagesMax: 4, bytesMax: 1_000_000, waitMs: 1_000, signal });
  const numbers = messages.map(({ attributes }) => attributes['number'] ?? '');
  numbers.forEach((number) => process.stdout.write(`received ${number}\n`));
  await source.ack(messages);
  numbers.forEach((number) => process.stdout.write(`acked ${number}\n`));
}

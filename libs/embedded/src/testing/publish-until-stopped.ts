// Run as a process of its own: publishes numbered messages of a size, and says each number once it is confirmed; at an
// error it says that and ends.
import { systemClock } from '@meterflow/stage';
import { openBus } from '../bus/embedded-bus.ts';
import { dataDirectory } from '../data-directory.ts';

const [root = '', name = '', payloadBytes = '', messagesMax = ''] = process.argv.slice(2);
const bus = openBus({ directory: dataDirectory(root), clock: systemClock, owner: name });
try {
  for (let number = 0; number < Number(messagesMax); number += 1) {
    const payload = new Uint8Array(Number(payloadBytes)).fill(number & 255);
    await bus.publisher.publish([{ topic: 't', payload, attributes: { number: `${name}-${number}` } }]);
    process.stdout.write(`${name}-${number}\n`);
  }
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}

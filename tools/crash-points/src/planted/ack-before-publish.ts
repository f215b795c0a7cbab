import type { LeasedMessage } from '@meterflow/stage';
import type { PlantedBug, Running } from '../planted-bug.ts';

/** A group is acked as soon as it is handled: a death before its outcome is published loses it. */
export const ackBeforePublish: PlantedBug = {
  name: 'ack before publish',
  story: 'corrections',
  running: <Input, Reads, Write>(running: Running<Input, Reads, Write>): Running<Input, Reads, Write> => {
    const { stage, ports } = running;
    const messages = new Map<Input, LeasedMessage>();
    return {
      ...running,
      stage: {
        ...stage,
        decode: (message) => {
          const input = stage.decode(message);
          messages.set(input, message);
          return input;
        },
        handle: async (inputs, reads) => {
          const handled = await stage.handle(inputs, reads);
          await ports.source.ack(inputs.flatMap((input) => messages.get(input) ?? []));
          return handled;
        },
      },
    };
  },
};

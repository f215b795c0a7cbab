import type { PlantedBug, Running } from '../planted-bug.ts';

/** Who is told reads before the write is there, and is told nothing any more. */
export const publishBeforeWrite: PlantedBug = {
  name: 'publish before write',
  story: 'corrections',
  running: <Input, Reads, Write>(running: Running<Input, Reads, Write>): Running<Input, Reads, Write> => {
    const { ports } = running;
    let waiting: (readonly Write[])[] = [];
    return {
      ...running,
      ports: {
        ...ports,
        sink: {
          write: (writes) => {
            waiting.push(writes);
            return Promise.resolve();
          },
        },
        publisher: {
          publish: async (messages) => {
            await ports.publisher.publish(messages);
            const writes = waiting.flat();
            waiting = [];
            if (writes.length > 0) {
              await ports.sink.write(writes);
            }
          },
        },
      },
    };
  },
};

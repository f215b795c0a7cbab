import type { PlantedBug, Running } from '../planted-bug.ts';

/** The ticket says when the work was finished, not what it was made of: old inputs can so have the higher one. */
export const ticketAfterRead: PlantedBug = {
  name: 'ticket taken after the read',
  story: 'sharedDay',
  running: (running) => (running.stage.name.startsWith('aggregation') ? late(running) : running),
};

function late<Input, Reads, Write>(running: Running<Input, Reads, Write>): Running<Input, Reads, Write> {
  const { stage, tickets } = running;
  return {
    ...running,
    stage: {
      ...stage,
      read: async (inputs) => {
        const reads = (await stage.read(inputs)) as readonly { readonly tenant: string }[];
        const ticketed: unknown[] = [];
        for (const read of reads) {
          ticketed.push({ ...read, ticket: await tickets().take(read.tenant) });
        }
        return ticketed as Reads;
      },
    },
  };
}

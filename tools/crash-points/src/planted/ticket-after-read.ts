import type { Tickets } from '@meterflow/idempotent-writes';
import type { Stage } from '@meterflow/stage';
import type { PlantedBug } from '../planted-bug.ts';

/** The ticket says when the work was finished, not what it was made of: old inputs can so have the higher one. */
export const ticketAfterRead: PlantedBug = {
  name: 'ticket taken after the read',
  stage: (stage, { tickets }) => (stage.name.startsWith('aggregation') ? late(stage, tickets) : undefined),
};

function late<Input, Reads, Write>(stage: Stage<Input, Reads, Write>, tickets: Tickets): Stage<Input, Reads, Write> {
  return {
    ...stage,
    read: async (inputs) => {
      const reads = (await stage.read(inputs)) as readonly { readonly tenant: string }[];
      const ticketed: unknown[] = [];
      for (const read of reads) {
        ticketed.push({ ...read, ticket: await tickets.take(read.tenant) });
      }
      return ticketed as Reads;
    },
  };
}

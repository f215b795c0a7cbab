import { decodeReadingBatch, encodeReadingBatch } from '@meterflow/contracts';
import type { ReadingBatch } from '@meterflow/readings';
import type { PlantedBug, Running } from '../planted-bug.ts';

/** A day is written at a ticket taken when it was computed: what it was made of may be older than what another one wrote. */
export const seriesTicketAfterInputs: PlantedBug = {
  name: 'series flow: ticket taken after the inputs',
  story: 'ruleLife',
  running: (running) => (running.stage.name === 'series-flows' ? late(running) : running),
};

function late<Input, Reads, Write>(running: Running<Input, Reads, Write>): Running<Input, Reads, Write> {
  const { stage, tickets } = running;
  return {
    ...running,
    stage: {
      ...stage,
      handle: async (inputs, reads) => {
        const handled = await stage.handle(inputs, reads);
        const messages = [];
        for (const message of handled.messages) {
          const batch = decodeReadingBatch(message.payload);
          const ticket = await tickets().take(batch.tenant);
          messages.push({ ...message, payload: encodeReadingBatch(withTicket(batch, ticket)) });
        }
        return { ...handled, messages };
      },
    },
  };
}

function withTicket(batch: ReadingBatch, ticket: number): ReadingBatch {
  const { versions } = batch.columns;
  const later = { ...versions, ticket: versions.ticket.map((before) => (before === 0 ? 0 : ticket)) };
  return { ...batch, columns: { ...batch.columns, versions: later } };
}

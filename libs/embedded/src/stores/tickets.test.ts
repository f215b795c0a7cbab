import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeTickets } from '@meterflow/idempotent-writes/testing';
import { openTickets, type EmbeddedTickets } from './tickets.ts';

describeTickets('EmbeddedTickets', () => {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-tickets-'));
  const opened: EmbeddedTickets[] = [];
  const open = (): EmbeddedTickets => {
    const tickets = openTickets({ file: join(root, 'tickets.sqlite') });
    opened.push(tickets);
    return tickets;
  };
  return Promise.resolve({
    tickets: open(),
    reopen: () => Promise.resolve(open()),
    close: () => {
      opened.forEach((tickets) => {
        tickets.close();
      });
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  });
});

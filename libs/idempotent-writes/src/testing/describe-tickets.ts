import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RaisableTickets, Tickets } from '../tickets.ts';

/** Counters of their own, none taken from, and the same counters as another process or a restart would open them. */
export interface TicketsUnderTest {
  readonly tickets: RaisableTickets;
  reopen(): Promise<Tickets>;
  close(): Promise<void>;
}

/** What every ticket counter promises. */
export function describeTickets(name: string, open: () => Promise<TicketsUnderTest>): void {
  describe(`${name} as tickets`, () => {
    let subject: TicketsUnderTest;

    beforeEach(async () => {
      subject = await open();
    });

    afterEach(() => subject.close());

    test('every ticket is a whole number higher than all before it', async () => {
      let last = 0;
      for (let taken = 0; taken < 20; taken++) {
        const ticket = await subject.tickets.take('acme');
        expect(Number.isSafeInteger(ticket)).toBe(true);
        expect(ticket).toBeGreaterThan(last);
        last = ticket;
      }
    });

    test('tickets taken at once are all different', async () => {
      const taken = await Promise.all(Array.from({ length: 20 }, () => subject.tickets.take('acme')));
      expect(new Set(taken).size).toBe(20);
    });

    test('a restart goes on above what was taken, and two openers share the counter', async () => {
      const first = await subject.tickets.take('acme');
      const other = await subject.reopen();
      const second = await other.take('acme');
      expect(second).toBeGreaterThan(first);
      expect(await subject.tickets.take('acme')).toBeGreaterThan(second);
    });

    test('a counter that is raised goes on above that, and one that is higher stays', async () => {
      await subject.tickets.raise('acme', 1_000);
      expect(await subject.tickets.take('acme')).toBeGreaterThan(1_000);
      await subject.tickets.raise('acme', 5);
      const other = await subject.reopen();
      expect(await other.take('acme')).toBeGreaterThan(1_001);
      expect(await other.take('other')).toBe(1);
    });

    test('tenants have counters of their own', async () => {
      const first = await subject.tickets.take('acme');
      for (let taken = 0; taken < 5; taken++) {
        await subject.tickets.take('other');
      }
      expect(await subject.tickets.take('acme')).toBe(first + 1);
    });
  });
}

import { MemoryRows } from '@meterflow/bigtable/memory';
import {
  describeAggregateStore,
  describeLedger,
  describeReadingStore,
  describeTickets,
} from '@meterflow/idempotent-writes/testing';
import { describeSources } from '@meterflow/receipts/testing';
import { SimulatedTime } from '@meterflow/stage/simulation';
import { describeBus } from '@meterflow/stage/testing';
import { MemoryAggregates } from './memory-aggregates.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { memoryReadings } from './memory-readings.ts';
import { MemorySources, MemorySourceTables } from './memory-sources.ts';
import { MemoryTickets } from './memory-tickets.ts';

// What the proof runs on must keep the contracts that production's adapters keep, or it would prove nothing of them. The
// deduper, the registry and the merge of readings pass their suites in their own packages.

const nothing = (): Promise<void> => Promise.resolve();

describeBus('the bus in memory', () => {
  const time = new SimulatedTime();
  const bus = new MemoryBus(time);
  bus.declareTopic('second');
  bus.declareSubscription('one', 'first');
  bus.declareSubscription('other', 'first');
  return Promise.resolve({
    ackDeadlineMs: 10_000,
    nowMs: () => time.nowMs(),
    advance: (ms: number) => time.sleep(ms),
    connect: () =>
      Promise.resolve({
        publisher: bus.publisher,
        source: (name: string) => Promise.resolve(bus.source(name)),
        replay: (name: string, fromMs: number) => {
          bus.replay(name, fromMs);
          return Promise.resolve();
        },
        close: nothing,
      }),
    subscribe: (name: string, from: 'start' | 'now' | { readonly fromMs: number }) => {
      const fromMs = from === 'start' ? 0 : from === 'now' ? Infinity : from.fromMs;
      bus.declareSubscription(name, 'first', fromMs);
      return Promise.resolve();
    },
    // A process in memory dies by never calling again.
    dieHoldingLeases: async (published: readonly Uint8Array[]) => {
      await bus.publisher.publish(published.map((payload) => ({ topic: 'first', payload, attributes: {} })));
      const request = { messagesMax: 100, bytesMax: 1e9, waitMs: 0, signal: new AbortController().signal };
      return (await bus.source('one').receive(request)).length;
    },
    close: nothing,
  });
});

describeReadingStore('the readings in memory', (layer) =>
  Promise.resolve({ store: memoryReadings(new MemoryRows(), layer, new MemoryLedger()), close: nothing }),
);
describeAggregateStore('the aggregates in memory', () =>
  Promise.resolve({ store: new MemoryAggregates(new MemoryLedger()), close: nothing }),
);

describeLedger('the ledger in memory', () => {
  const ledger = new MemoryLedger();
  const rows = new MemoryRows();
  return Promise.resolve({
    ledger,
    raw: memoryReadings(rows, 'raw', ledger),
    validated: memoryReadings(rows, 'validated', ledger),
    aggregates: new MemoryAggregates(ledger),
    fail: ({ state, causes, layers }) => {
      layers.forEach((layer) => {
        causes.forEach((cause) => {
          ledger.fail(cause, layer, state);
        });
      });
      return Promise.resolve();
    },
    close: nothing,
  });
});

describeTickets('the tickets in memory', () => {
  const tickets = new MemoryTickets();
  return Promise.resolve({ tickets, reopen: () => Promise.resolve(tickets), close: nothing });
});

describeSources('the sources in memory', () => {
  const tables = new MemorySourceTables();
  return Promise.resolve({ open: (options) => new MemorySources({ tables, ...options }), close: nothing });
});

import { MemoryRows } from '@meterflow/bigtable/memory';
import { MemoryDeduper } from '@meterflow/dedupe';
import type { LedgerLayer } from '@meterflow/idempotent-writes';
import { MemoryContributions } from '@meterflow/idempotent-writes/memory-contributions';
import { MemoryRegistry } from '@meterflow/registry/memory';
import type { DeadLetter, DeadLetterSink } from '@meterflow/stage';
import { SimulatedTime } from '@meterflow/stage/simulation';
import { lane, proofTopology } from '../lane.ts';
import type { CrashPorts, CrashWorld, CrashWorlds } from '../world.ts';
import { MemoryAggregates } from './memory-aggregates.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { memoryReadings } from './memory-readings.ts';
import { MemorySources, MemorySourceTables } from './memory-sources.ts';
import { MemoryTickets } from './memory-tickets.ts';

/** Short, so that little simulated time passes until a dead process's messages come again. */
const ackDeadlineMs = 1_500;
const keysMax = 100_000;

export const memoryWorlds: CrashWorlds = {
  adapters: 'memory',
  concurrency: 32,
  open: () => Promise.resolve(new MemoryWorld()),
};

/** Stores and bus in memory, and simulated time: dozens of runs a CPU-second. */
class MemoryWorld implements CrashWorld {
  readonly time = new SimulatedTime();
  readonly ackDeadlineMs = ackDeadlineMs;
  readonly #bus = new MemoryBus(this.time, ackDeadlineMs);
  readonly #letters = new Map<string, DeadLetter>();
  readonly #ports: CrashPorts;

  constructor() {
    for (const { topic, subscriptions } of proofTopology([lane])) {
      this.#bus.declareTopic(topic);
      for (const subscription of subscriptions) {
        this.#bus.declareSubscription(subscription, topic);
      }
    }
    this.#ports = this.#open();
  }

  /** The parts keep nothing of a process: all processes share them. */
  open(): CrashPorts {
    return this.#ports;
  }

  drop(): void {
    // Nothing is open.
  }

  replay(subscription: string): void {
    this.#bus.replay(subscription, 0);
  }

  backlog(): readonly string[] {
    return this.#bus.backlog();
  }

  deadLetters(): readonly DeadLetter[] {
    return [...this.#letters.values()];
  }

  close(): void {
    this.time.stop();
  }

  #open(): CrashPorts {
    const ledger = new MemoryLedger();
    const nowMs = (): number => this.time.nowMs();
    const rows = new MemoryRows();
    const readings = { raw: memoryReadings(rows, 'raw', ledger), validated: memoryReadings(rows, 'validated', ledger) };
    const deduper = new MemoryDeduper({ nowMs, keysMax });
    return {
      publisher: this.#bus.publisher,
      source: (name) => this.#bus.source(name),
      deduper: () => deduper,
      readings: (layer) => readings[layer],
      rows,
      aggregates: new MemoryAggregates(ledger),
      contributions: new MemoryContributions(),
      tickets: new MemoryTickets(),
      registry: new MemoryRegistry(),
      sources: new MemorySources({ tables: new MemorySourceTables(), ledger, nowMs }),
      deadLetters: this.#deadLetters(ledger),
    };
  }

  #deadLetters(ledger: MemoryLedger): DeadLetterSink {
    return {
      put: (letters) => {
        for (const letter of letters) {
          this.#letters.set(letter.id, letter);
          for (const cause of letter.causes) {
            letter.layers.forEach((layer) => {
              ledger.fail(cause, layer as LedgerLayer, letter.state);
            });
          }
        }
        return Promise.resolve();
      },
    };
  }
}

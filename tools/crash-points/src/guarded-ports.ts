import type { CompactionTable } from '@meterflow/bigtable';
import type { Source } from '@meterflow/stage';
import type { CrashingProcess } from './crashing-process.ts';
import type { CrashPorts } from './world.ts';

/** The same ports, each call a side effect of the process. */
export function guardedPorts(ports: CrashPorts, process: CrashingProcess): CrashPorts {
  return new GuardedPorts(ports, process);
}

/** Made as they are asked for: an adapter opens its parts so as well. */
class GuardedPorts implements CrashPorts {
  readonly #ports: CrashPorts;
  readonly #process: CrashingProcess;

  constructor(ports: CrashPorts, process: CrashingProcess) {
    this.#ports = ports;
    this.#process = process;
  }

  get publisher(): CrashPorts['publisher'] {
    return this.#process.guard(this.#ports.publisher, 'publisher');
  }

  get deadLetters(): CrashPorts['deadLetters'] {
    return this.#process.guard(this.#ports.deadLetters, 'dead-letters');
  }

  get tickets(): CrashPorts['tickets'] {
    return this.#process.guard(this.#ports.tickets, 'tickets');
  }

  get registry(): CrashPorts['registry'] {
    return this.#process.guard(this.#ports.registry, 'registry');
  }

  get sources(): CrashPorts['sources'] {
    return this.#process.guard(this.#ports.sources, 'sources');
  }

  get aggregates(): CrashPorts['aggregates'] {
    return this.#process.guard(this.#ports.aggregates, 'aggregates');
  }

  get contributions(): CrashPorts['contributions'] {
    return this.#process.guard(this.#ports.contributions, 'contributions');
  }

  get rows(): CrashPorts['rows'] {
    const { rows } = this.#ports;
    return rows && guardedRows(rows, this.#process);
  }

  readings(layer: 'raw' | 'validated'): ReturnType<CrashPorts['readings']> {
    return this.#process.guard(this.#ports.readings(layer), layer);
  }

  deduper(subscription: string): ReturnType<CrashPorts['deduper']> {
    return this.#process.guard(this.#ports.deduper(subscription), 'deduper');
  }

  source(subscription: string): Source {
    return guardedSource(this.#ports.source(subscription), this.#process);
  }
}

/** A page of rows is read at once. */
function guardedRows(rows: CompactionTable, process: CrashingProcess): CompactionTable {
  const { read, mutate } = process.guard(rows, 'rows');
  return {
    read,
    mutate,
    scan: async function* (range, filter, pageRows) {
      yield* await process.effect('rows.scan', () => Array.fromAsync(rows.scan(range, filter, pageRows)));
    },
  };
}

/** Waiting for messages is no side effect: leasing them is one. */
function guardedSource(source: Source, process: CrashingProcess): Source {
  const guarded = process.guard(source, 'source');
  return {
    subscription: source.subscription,
    ackDeadlineMs: source.ackDeadlineMs,
    epoch: () => guarded.epoch(),
    ack: (messages) => guarded.ack(messages),
    nack: (messages, delayMs) => guarded.nack(messages, delayMs),
    extend: (messages) => guarded.extend(messages),
    receive: (request) =>
      process.awaited('source.receive', {
        begin: (signal) => source.receive({ ...request, signal }),
        signal: request.signal,
        isEffect: (messages) => messages.length > 0,
        undo: (messages) => source.nack(messages, 0),
      }),
  };
}

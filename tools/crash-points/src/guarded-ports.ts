import type { Source } from '@meterflow/stage';
import type { CrashingProcess } from './crashing-process.ts';
import type { CrashPorts } from './world.ts';

/** The same ports, each call a side effect of the process. */
export function guardedPorts(ports: CrashPorts, process: CrashingProcess): CrashPorts {
  return {
    publisher: process.guard(ports.publisher, 'publisher'),
    deadLetters: process.guard(ports.deadLetters, 'dead-letters'),
    tickets: process.guard(ports.tickets, 'tickets'),
    registry: process.guard(ports.registry, 'registry'),
    sources: process.guard(ports.sources, 'sources'),
    aggregates: process.guard(ports.aggregates, 'aggregates'),
    readings: (layer) => process.guard(ports.readings(layer), layer),
    deduper: (subscription) => process.guard(ports.deduper(subscription), 'deduper'),
    source: (subscription) => guardedSource(ports.source(subscription), process),
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock, type LeasedMessage, type Source } from '@meterflow/stage';
import { openBus, type BusOptions, type EmbeddedBus } from '../bus/embedded-bus.ts';
import { dataDirectory, type DataDirectory } from '../data-directory.ts';

/** A bus in a folder of its own, on a clock that the test moves: topic `t` with the subscription `s`. */
export class TemporaryBus {
  readonly directory: DataDirectory = dataDirectory(mkdtempSync(join(tmpdir(), 'meterflow-bus-')));
  readonly clock: Clock = { ...systemClock, nowMs: () => this.nowMs };
  nowMs = 1_700_000_000_000;
  readonly #opened: EmbeddedBus[] = [];

  open(options: Partial<BusOptions> = {}): EmbeddedBus {
    const bus = openBus({
      directory: this.directory,
      clock: this.clock,
      owner: 'a',
      topology: { topics: ['t'], subscriptions: [{ name: 's', topic: 't', from: 'start' }] },
      ...options,
    });
    this.#opened.push(bus);
    return bus;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#opened.map((bus) => bus.close()));
    rmSync(this.directory.root, { recursive: true });
  }
}

/** Publishes one message each, of so many bytes. */
export async function publishSizes(bus: EmbeddedBus, topic: string, sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    await bus.publisher.publish([{ topic, payload: new Uint8Array(size).fill(size & 255), attributes: {} }]);
  }
}

/** What is there now. */
export function receiveNow(source: Source, messagesMax = 1_000): Promise<readonly LeasedMessage[]> {
  return source.receive({ messagesMax, bytesMax: 1e9, waitMs: 0, signal: new AbortController().signal });
}

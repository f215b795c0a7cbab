import { calendarOf } from '@meterflow/aggregates';
import type { ReadingStore } from '@meterflow/idempotent-writes';
import type { ReadingColumns } from '@meterflow/readings';
import type { SeriesRegistry } from '@meterflow/registry';
import { channelNeeds, takesSeries, type Activation, type Flow } from '@meterflow/rules';
import { batchesOf } from '../backtest/run-batches.ts';
import { daysSince, daysWork, runDays } from '../backtest/run-days.ts';
import { runFlow } from '../backtest/run-flow.ts';
import { lookedAt } from '../backtest/looked-at.ts';
import type { WatchedSandbox } from '../backtest/measured-sandbox.ts';
import { closedAtMs, graceMsDefault } from '../day-closer.ts';
import { readingsAt, type ReadingPlace, type ShownReading } from './readings-at.ts';

export interface FlowTracePorts {
  /** The raw layer. */
  readonly readings: Pick<ReadingStore, 'read' | 'firstMs'>;
  readonly settings: Pick<SeriesRegistry, 'snapshotOf'>;
  /** A new one, of processes of its own: what is live is not to wait for it. */
  readonly openSandbox: () => Pick<WatchedSandbox, 'run' | 'runSeries' | 'close'>;
  readonly nowMs: () => number;
}

/** Thrown when as many wait as may: try again later. */
export class TraceBusyError extends Error {
  override readonly name = 'TraceBusyError';
}

const tracesWaitingMax = 8;

/**
 * Has the steps of a flow make a reading once more, and tells what it was after each: rules are deterministic, and what
 * they see is stored. One at a time, in a sandbox of its own.
 */
export class FlowTrace {
  readonly #ports: FlowTracePorts;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(ports: FlowTracePorts) {
    this.#ports = ports;
  }

  /**
   * Of each step that takes the series what the reading was after it; undefined where there was none yet. Throws
   * {@link TraceBusyError}, and what is wrong with a rule.
   */
  async afterEach(place: ReadingPlace, activation: Activation): Promise<readonly (ShownReading | undefined)[]> {
    if (this.#waiting >= tracesWaitingMax) {
      throw new TraceBusyError(`${tracesWaitingMax} explanations are being made: try again`);
    }
    this.#waiting += 1;
    const mine = this.#last.then(() => this.#trace(place, activation));
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #trace(place: ReadingPlace, activation: Activation): Promise<readonly (ShownReading | undefined)[]> {
    const sandbox = this.#ports.openSandbox();
    try {
      const found: (ShownReading | undefined)[] = [];
      for (const flow of beginnings(activation.flow, place)) {
        const anytime = { ...activation, flow, fromMs: -Infinity, toMs: Infinity };
        const columns =
          channelNeeds(flow, place) === undefined
            ? await this.#inStream(sandbox, place, anytime)
            : await this.#inDay(sandbox, place, anytime);
        found.push(readingsAt(columns, place).at(0)?.shown);
      }
      return found;
    } finally {
      await sandbox.close();
    }
  }

  /** A flow that looks at readings alone. */
  async #inStream(
    sandbox: Pick<WatchedSandbox, 'run'>,
    place: ReadingPlace,
    activation: Activation,
  ): Promise<readonly ReadingColumns[]> {
    const { tenant, startMs } = place;
    const stored = await this.#ports.readings.read({ ...place, layer: 'raw', fromMs: startMs, toMs: startMs + 1 });
    const batches = stored.flatMap(({ columns }) => batchesOf(tenant, place, columns));
    const done: ReadingColumns[] = [];
    for (const batch of batches) {
      const { columns } = await runFlow((flow, each) => sandbox.run(flow, each), activation, batch);
      done.push(...columns);
    }
    return done;
  }

  /** A flow that looks at whole days. */
  async #inDay(
    sandbox: Pick<WatchedSandbox, 'run' | 'runSeries'>,
    place: ReadingPlace,
    activation: Activation,
  ): Promise<readonly ReadingColumns[]> {
    const { readings, nowMs } = this.#ports;
    const { tenant, meter, channel, startMs } = place;
    const series = { meter, channel };
    const settings = await this.#ports.settings.snapshotOf(tenant, lookedAt([series], [activation]));
    const { timeZone } = settings.of(meter, channel);
    const due = { series, timeZone, days: [calendarOf(timeZone).dayOf(startMs)] };
    const closedThroughMs = closedAtMs(timeZone, nowMs(), graceMsDefault);
    const work = await daysWork(readings, { tenant, due, activations: [activation], settings, closedThroughMs });
    if (work === undefined) {
      return [];
    }
    const days = daysSince(work.inputs, due, true);
    const failures = { readings: 0, first: [] };
    const made = await runDays({ sandbox, work: { ...work, activations: [activation] }, days, failures });
    return made.get(channel) ?? [];
  }
}

/** The flow up to each of the steps that take the series. */
function beginnings(flow: Flow, place: ReadingPlace): readonly Flow[] {
  return flow.steps.flatMap((step, index) =>
    takesSeries(step, place) ? [{ ...flow, steps: flow.steps.slice(0, index + 1) }] : [],
  );
}

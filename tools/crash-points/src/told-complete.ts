import {
  calendarOf,
  CompleteDays,
  SheetCursor,
  type AggregateBatch,
  type WindowsComplete,
} from '@meterflow/aggregates';
import { decodeWindowsComplete, topicName } from '@meterflow/contracts';
import type { SeriesName } from '@meterflow/readings';
import { ClosedDaysRegistry, SeriesRegistry } from '@meterflow/registry';
import { lane } from './lane.ts';
import { withPorts } from './planted-bug.ts';
import type { CrashPorts } from './world.ts';
import type { PlannedSeries } from './workload.ts';

/** Hears what processes publish on `windows.complete`, as a consumer would, and holds it against what is stored. */
export class ToldComplete {
  /** The highest ticket that was told of each series and day. */
  readonly #told = new Map<string, number>();
  /** The highest ticket that was stored of each, withdrawn ones among them: nobody reads their tickets. */
  readonly #stored = new Map<string, number>();
  readonly #early: string[] = [];

  /** The same ports, overheard: what is published is durable when it is noted. */
  overheard(ports: CrashPorts): CrashPorts {
    const { publisher, aggregates } = ports;
    const topic = topicName('windows.complete', lane);
    return withPorts(ports, {
      aggregates: {
        read: (sheets) => aggregates.read(sheets),
        write: async (writes) => {
          const outcomes = await aggregates.write(writes);
          writes.forEach(({ batch }) => {
            this.#noteStored(batch);
          });
          return outcomes;
        },
      },
      publisher: {
        publish: async (messages) => {
          const complete = messages.filter((each) => each.topic === topic).map(({ payload }) => payload);
          for (const payload of complete) {
            await this.#checkStored(decodeWindowsComplete(payload), aggregates);
          }
          await publisher.publish(messages);
          complete.forEach((payload) => {
            this.#note(decodeWindowsComplete(payload));
          });
        },
      },
    });
  }

  /** What was told before it could be read, and what is whole or closed and was never told so, called when all is at rest. */
  async faults(ports: CrashPorts, series: readonly PlannedSeries[]): Promise<readonly string[]> {
    const never: string[] = [];
    for (const each of series) {
      const complete = await completeDays(ports, each);
      complete?.startMs.forEach((startMs, row) => {
        const ticket = complete.ticket[row] as number;
        const path = pathOf(each, startMs);
        if (this.#told.get(path) !== ticket) {
          never.push(`${path} is complete at ticket ${ticket}, and was told at ${this.#told.get(path) ?? 'none'}`);
        }
      });
    }
    return [...this.#early, ...never];
  }

  #noteStored(batch: AggregateBatch): void {
    const { tenant, level, ticket } = batch;
    for (const sheet = new SheetCursor(batch); level === 'day' && sheet.next();) {
      raise(this.#stored, pathOf({ tenant, ...sheet.series }, sheet.startMs), ticket);
    }
  }

  #note({ tenant, series, index, startMs, ticket }: WindowsComplete): void {
    startMs.forEach((ms, row) => {
      const { meter, channel } = series[index[row] as number] as SeriesName;
      raise(this.#told, pathOf({ tenant, meter, channel }, ms), ticket[row] as number);
    });
  }

  async #checkStored(
    { tenant, series, index, startMs, endMs, ticket }: WindowsComplete,
    aggregates: CrashPorts['aggregates'],
  ): Promise<void> {
    for (const [row, fromMs] of startMs.entries()) {
      const { meter, channel } = series[index[row] as number] as SeriesName;
      const span = { fromMs, toMs: endMs[row] as number };
      const stored = await aggregates.read({ tenant, meter, channel, level: 'day', ...span });
      const path = pathOf({ tenant, meter, channel }, fromMs);
      if (Math.max(stored.ticket, this.#stored.get(path) ?? 0) < (ticket[row] as number)) {
        this.#early.push(`${path} was told before it was stored`);
      }
    }
  }
}

function raise(tickets: Map<string, number>, path: string, ticket: number): void {
  tickets.set(path, Math.max(tickets.get(path) ?? 0, ticket));
}

function pathOf({ tenant, meter, channel }: PlannedSeries, startMs: number): string {
  return `${tenant} ${meter} ${channel} ${new Date(startMs).toISOString()}`;
}

/** The days that anything is stored of and that are whole or closed; undefined for none. */
async function completeDays(
  { registry, aggregates }: CrashPorts,
  { tenant, meter, channel }: PlannedSeries,
): Promise<WindowsComplete | undefined> {
  const settings = new SeriesRegistry({ registry, nowMs: () => 0, cacheMs: -1 });
  const { timeZone } = (await settings.snapshotOf(tenant, [{ meter, channel }])).of(meter, channel);
  const closed = await new ClosedDaysRegistry(registry).of(tenant, timeZone);
  const span = { fromMs: 0, toMs: Date.UTC(2100, 0, 1) };
  const sheets = await aggregates.read({ tenant, meter, channel, level: 'day', rows: 'whole', ...span });
  const [calendar, days] = [calendarOf(timeZone), new CompleteDays()];
  for (const cursor = new SheetCursor(sheets); cursor.next();) {
    const firstDay = calendar.dayOf(cursor.startMs);
    // A day of a zone that it had before is withdrawn, and nobody's any more.
    if (calendar.dayStartMs(firstDay) === cursor.startMs) {
      const day = { series: { meter, channel }, calendar, firstDay, endDay: firstDay + 1 };
      days.append({ ...day, closedThroughMs: closed?.toldThroughMs ?? -Infinity }, sheets);
    }
  }
  return days.finish(tenant);
}

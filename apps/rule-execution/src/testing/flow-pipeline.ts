import {
  decodeReadingBatch,
  decodeStoredNotice,
  encodeReadingBatch,
  encodeStoredNotice,
  payloadKey,
} from '@meterflow/contracts';
import { ReadingLines } from '@meterflow/idempotent-writes';
import { MemoryReadingStore } from '@meterflow/idempotent-writes/testing';
import {
  BatchBuilder,
  missingCode,
  rawVersion,
  ReadingRow,
  touchedBy,
  type Layer,
  type ReadingBatch,
  type StoredNotice,
} from '@meterflow/readings';
import {
  Activations,
  ClosedDaysRegistry,
  DaysMade,
  SeriesRegistry,
  ToldSince,
  instantMsMax,
} from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import { flowOf, type Flow, type FlowStep } from '@meterflow/rules';
import type { IsolatedSandbox } from '@meterflow/sandbox';
import { OvertakenWorkError } from '@meterflow/stage';
import { ruleExecutionStage } from '../rule-execution-stage.ts';
import { seriesFlowSink } from '../series-flow-sink.ts';
import { seriesFlowStage } from '../series-flow-stage.ts';

export const tenant = 'acme';
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const firstMs = Date.UTC(2024, 2, 4);
export const all = { fromMs: -instantMsMax, toMs: instantMsMax };

/** The stages that rules run in, over stores in memory: what they publish is stored at once. */
export class Pipeline {
  readonly registry = new MemoryRegistry();
  readonly activations = new Activations({ registry: this.registry, nowMs: () => 0, activationLeaseMs: 0 });
  nowMs = firstMs;
  readonly series = new SeriesRegistry({ registry: this.registry, nowMs: () => this.nowMs, cacheMs: 0 });
  readonly closedDays = new ClosedDaysRegistry(this.registry);
  readonly #stores = { raw: new MemoryReadingStore(), validated: new MemoryReadingStore() };
  readonly #sandbox: IsolatedSandbox;
  readonly refused: { readonly code: string; readonly payload: Uint8Array }[] = [];
  readonly #toldSince = new ToldSince(this.registry);
  readonly #daysMade = new DaysMade({ registry: this.registry, nowMs: () => 0 });
  readonly #sink = seriesFlowSink({ toldSince: this.#toldSince, daysMade: this.#daysMade });
  #ticket = 0;
  #held: ReadingBatch[] | undefined;
  #beforeWrite: (() => Promise<unknown>) | undefined;
  /** How often a run had to begin anew, since another one was faster. */
  overtaken = 0;

  constructor(sandbox: IsolatedSandbox) {
    this.#sandbox = sandbox;
  }

  async activate(flow: Flow, span = all): Promise<void> {
    await this.activations.create(tenant, { flow, decimals: 3, ...span });
  }

  /** What ingest, the stream, the persistences and series flows do with a batch, in this order. */
  async store(batch: ReadingBatch): Promise<void> {
    await this.keep(batch);
    await this.tell([noticeOf(batch)]);
  }

  /** The same, before anybody is told that it is stored. */
  async keep(batch: ReadingBatch): Promise<void> {
    const stage = ruleExecutionStage({ sandbox: this.#sandbox, activations: this.activations }, { lane: 'live' });
    const payload = encodeReadingBatch(batch);
    const inputs = [stage.decode(messageOf(payload))];
    const { messages } = await stage.handle(inputs, await stage.read(inputs));
    for (const message of messages) {
      await this.#write(decodeReadingBatch(message.payload));
    }
    await this.#write(batch);
  }

  /** What series flows make of notices that come in one group. */
  async tell(notices: readonly StoredNotice[], listensTo: 'raw' | 'days' = 'raw'): Promise<number> {
    for (;;) {
      try {
        return await this.#run(notices, listensTo);
      } catch (error) {
        if (!(error instanceof OvertakenWorkError)) {
          throw error;
        }
        this.overtaken += 1;
      }
    }
  }

  /** `work` is done when the next run has computed and nothing of it is written yet, as another process would; at the latest after `slow`. */
  async meanwhile(work: () => Promise<unknown>, slow: () => Promise<unknown>): Promise<void> {
    this.#beforeWrite = work;
    await slow();
    await this.#takeBeforeWrite()?.();
  }

  #takeBeforeWrite(): (() => Promise<unknown>) | undefined {
    const work = this.#beforeWrite;
    this.#beforeWrite = undefined;
    return work;
  }

  async #run(notices: readonly StoredNotice[], listensTo: 'raw' | 'days'): Promise<number> {
    const stage = seriesFlowStage(
      {
        ...{ sandbox: this.#sandbox, activations: this.activations, series: this.series, closedDays: this.closedDays },
        tickets: { take: () => Promise.resolve(++this.#ticket) },
        readings: (layer) => this.#stores[layer],
        ...{ toldSince: this.#toldSince, daysMade: this.#daysMade },
      },
      { lane: 'live', listensTo },
    );
    const inputs = notices.map((notice) => stage.decode(messageOf(encodeStoredNotice(notice))));
    const { messages, writes, refused = [] } = await stage.handle(inputs, await stage.read(inputs));
    await this.#takeBeforeWrite()?.();
    await this.#sink.write(writes);
    for (const { error, part } of refused) {
      this.refused.push({ code: (error as Error & { code: string }).code, payload: part!.payload });
    }
    for (const { topic, payload } of messages) {
      if (topic.startsWith('days.due')) {
        await this.tell([decodeStoredNotice(payload)], 'days');
      } else {
        await this.#write(decodeReadingBatch(payload));
      }
    }
    return messages.length;
  }

  /** Days are closed and told from `sinceMs` on, or from the first that something is stored of. */
  async close(throughMs: number, channels: readonly string[] = ['import'], sinceMs?: number): Promise<void> {
    const { publishedThroughMs } = await this.closedDays.raise(tenant, 'UTC', { closedThroughMs: throughMs });
    const [first] = await this.lines('import', 'raw');
    const firstDayMs =
      first === undefined ? throughMs : Date.parse((JSON.parse(first) as { start: string }).start.slice(0, 10));
    const fromMs = publishedThroughMs > 0 ? publishedThroughMs : (sinceMs ?? firstDayMs);
    if (fromMs < throughMs) {
      await this.tell([dayNotice(fromMs, throughMs, channels)], 'days');
    }
    await this.closedDays.raise(tenant, 'UTC', { publishedThroughMs: throughMs });
  }

  async lines(channel = 'import', layer: Layer = 'validated'): Promise<string[]> {
    const span = { fromMs: firstMs - 100 * dayMs, toMs: firstMs + 100 * dayMs };
    const segments = await this.#stores[layer].read({ tenant, meter: 'm1', channel, layer, ...span });
    const lines = new ReadingLines({ tenant, meter: 'm1', channel }, layer);
    return segments.flatMap(({ columns }) => lines.lines(columns).split('\n').filter(Boolean));
  }

  /** Values by hour from `fromMs` on: null for none. */
  async values(channel = 'import', fromMs = firstMs, count = 24): Promise<(string | null)[]> {
    const rows = (await this.lines(channel)).map((line) => JSON.parse(line) as { start: string; value: string | null });
    return Array.from({ length: count }, (_, hour) => {
      const atMs = fromMs + hour * hourMs;
      return rows.find(({ start }) => Date.parse(start) === atMs)?.value ?? null;
    });
  }

  /** What rules make meanwhile is stored by the function that this resolves to, after whatever is stored until then. */
  async storingLater(work: () => Promise<unknown>): Promise<() => Promise<void>> {
    const held: ReadingBatch[] = [];
    const before = this.#held;
    this.#held = held;
    await work();
    this.#held = before;
    return async () => {
      for (const batch of held) {
        await this.#write(batch);
      }
    };
  }

  async #write(batch: ReadingBatch): Promise<void> {
    if (this.#held !== undefined && batch.layer === 'validated') {
      this.#held.push(batch);
      return;
    }
    const key = payloadKey(encodeReadingBatch(batch));
    await this.#stores[batch.layer].write([{ key, batch }]);
  }
}

function messageOf(payload: Uint8Array): Parameters<ReturnType<typeof seriesFlowStage>['decode']>[0] {
  return { id: '1', payload, attributes: {}, publishedAtMs: 0, deliveryAttempt: 1 };
}

export function noticeOf(batch: ReadingBatch): StoredNotice {
  const key = payloadKey(encodeReadingBatch(batch));
  return { tenant, layer: 'raw', activation: batch.activation, key, causes: [], touched: touchedBy(batch) };
}

export function dayNotice(fromMs: number, toMs: number, channels: readonly string[]): StoredNotice {
  return {
    ...{ tenant, layer: 'raw', activation: 0, key: 'd'.repeat(32), causes: [] },
    touched: {
      series: channels.map((channel) => ({ meter: 'm1', channel })),
      index: Uint32Array.from(channels.keys()),
      fromMs: new Float64Array(channels.length).fill(fromMs),
      toMs: new Float64Array(channels.length).fill(toMs),
    },
  };
}

export interface Hours {
  readonly fromMs: number;
  readonly values: readonly (number | null)[];
  readonly channel?: string;
  readonly acceptedAtMs?: number;
  readonly activation?: number;
}

/** Hourly raw readings; null leaves an hour out. */
export function hours({ fromMs, values, channel = 'import', acceptedAtMs = 1, activation = 1 }: Hours): ReadingBatch {
  const rows = values.flatMap((value, hour): [number, number][] =>
    value === null ? [] : [[fromMs + hour * hourMs, value]],
  );
  return readingsOf(channel, rows, { lengthMs: hourMs, acceptedAtMs, activation });
}

/** Raw readings by start and value, withdrawn without one; of a register unless they have a length. */
export function readingsOf(
  channel: string,
  rows: readonly (readonly [startMs: number, value: number | undefined])[],
  { lengthMs = 0, acceptedAtMs = 1, activation = 1, unit = 'kWh' } = {},
): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series('m1', channel);
  row.unit = builder.text(unit);
  row.version = builder.version(rawVersion(0, acceptedAtMs));
  row.lengthMs = lengthMs;
  for (const [startMs, value] of rows) {
    row.startMs = startMs;
    row.integer = value ?? 0;
    row.quality = value === undefined ? missingCode : 0;
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'raw', sourceId: 'source.1', acceptedAtMs, activation });
}

export function step(rule: FlowStep['rule'], channels = 'import'): FlowStep {
  return { rule, parameters: {}, channels };
}

export function flowWith(steps: readonly FlowStep[], onFailure: Flow['onFailure'] = 'skip'): Flow {
  return { ...flowOf('test', []), steps, onFailure };
}

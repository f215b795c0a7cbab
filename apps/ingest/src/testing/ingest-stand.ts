import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeReadingBatch, payloadKey, topology } from '@meterflow/contracts';
import { openEmbeddedPlatform, type EmbeddedPlatform } from '@meterflow/embedded';
import { createHttpServer, type HttpServer } from '@meterflow/http';
import { formatDecimal, missingCode, ReadingCursor, utcText, type ReadingBatch } from '@meterflow/readings';
import { Keys, Tenants, type Quotas, type Role } from '@meterflow/registry';
import { silentTelemetry, systemClock, type Clock, type OutgoingMessage, type Publisher } from '@meterflow/stage';
import type { Backlog } from '../back-pressure.ts';
import { createIngest, type Ingest, type IngestOptions, type IngestPorts } from '../ingest.ts';

export interface StandOptions extends Partial<IngestOptions> {
  readonly ports?: Partial<IngestPorts>;
}

export interface PublishedBatch {
  readonly key: string;
  readonly topic: string;
  readonly batch: ReadingBatch;
}

/** Ingest over a real embedded platform in a folder of its own. */
export class IngestStand {
  readonly root: string;
  readonly platform: EmbeddedPlatform;
  readonly published: PublishedBatch[] = [];
  readonly ingest: Ingest;
  readonly server: HttpServer;
  readonly keys: Keys;
  readonly tenants: Tenants;
  readonly clock: Clock & { aheadMs: number };
  /** Called before each publish; what it throws, the publisher throws. */
  beforePublish: (messages: readonly OutgoingMessage[]) => Promise<void> | void = () => undefined;
  /** What the bus says of its backlog; the real one where undefined. */
  backlogs: readonly Backlog[] | undefined;
  readonly draining = new AbortController();
  url = '';

  constructor(root: string, options: StandOptions) {
    this.root = root;
    this.platform = openEmbeddedPlatform({ root, owner: 'test', telemetry: silentTelemetry });
    const { registry, sources, uploads, bus, directory } = this.platform;
    declare(bus);
    const clock = {
      aheadMs: 0,
      nowMs: () => Date.now() + clock.aheadMs,
      sleep: (...wait: Parameters<Clock['sleep']>) => systemClock.sleep(...wait),
    };
    this.clock = clock;
    const nowMs = (): number => clock.nowMs();
    this.tenants = new Tenants({ registry, nowMs });
    this.keys = new Keys({ registry, nowMs, randomBytes });
    const { ports, ...rest } = options;
    const backlogs = (): Promise<readonly Backlog[]> => Promise.resolve(this.backlogs ?? bus.backlog());
    const publisher = this.#publisher(bus.publisher);
    const { signal } = this.draining;
    this.ingest = createIngest(
      { registry, sources, uploads, publisher, backlogs, clock, telemetry: silentTelemetry, signal, ...ports },
      {
        readingsRetentionDays: 7_305,
        liveBacklogBytesMax: 1024 ** 3,
        liveBacklogAgeMsMax: 3_600_000,
        dropDirectory: directory.drop,
        ...rest,
      },
    );
    this.server = createHttpServer({
      telemetry: silentTelemetry,
      api: { title: 'test', version: '1', description: '' },
      routes: this.ingest.localRoutes,
      authenticate: (text) => this.keys.authenticate(text),
      quotas: async (tenant) => (await this.tenants.require(tenant)).quotas,
      nowMs,
      notLive: () => undefined,
      notReady: () => undefined,
      newRequestId: () => 'r',
    });
  }

  static async open(options: StandOptions = {}, root?: string): Promise<IngestStand> {
    const stand = new IngestStand(root ?? (await mkdtemp(join(tmpdir(), 'ingest-'))), options);
    stand.url = await stand.server.listen({ host: '127.0.0.1', port: 0 });
    return stand;
  }

  /** A key of a tenant that is made where there is none. */
  async key(tenant: string, role: Role = 'provider', quotas: Partial<Quotas> = {}): Promise<string> {
    await this.tenants.ensure(tenant);
    await this.tenants.setQuotas(tenant, quotas);
    return (await this.keys.create({ tenant, role, label: '' })).text;
  }

  /** What is on the bus, as text: one line a reading, in order. */
  get readings(): readonly string[] {
    return this.published.flatMap(({ batch }) => readingTexts(batch));
  }

  /** How many uploads are there, finished or not. */
  async uploadCount(): Promise<number> {
    return (await readdir(this.platform.directory.uploads).catch(() => [])).length;
  }

  /** Ends it as a kill would: what is on the disk stays. */
  async end(): Promise<void> {
    this.draining.abort();
    await this.server.close();
    await this.ingest.settle();
    await this.platform.close();
  }

  async close(): Promise<void> {
    await this.end();
    await rm(this.root, { recursive: true, force: true });
  }

  #publisher(bus: Publisher): Publisher {
    return {
      publish: async (messages) => {
        await this.beforePublish(messages);
        await bus.publish(messages);
        for (const { topic, payload } of messages) {
          this.published.push({ topic, key: payloadKey(payload), batch: decodeReadingBatch(payload) });
        }
      },
    };
  }
}

function declare(bus: EmbeddedPlatform['bus']): void {
  for (const { topic, subscriptions } of topology(['live', 'bulk'])) {
    bus.declareTopic(topic);
    for (const name of subscriptions) {
      bus.declareSubscription({ name, topic, from: 'start' });
    }
  }
}

/** `line meter channel start/length value unit quality declared` of each reading. */
export function readingTexts(batch: ReadingBatch): readonly string[] {
  const texts: string[] = [];
  const lines = lineNumbers(batch);
  const { columns } = batch;
  for (const cursor = new ReadingCursor(columns); cursor.next();) {
    const { meter, channel } = batch.series[cursor.series]!;
    const value = cursor.qualityCode === missingCode ? 'none' : formatDecimal(cursor.integer, columns.decimals);
    const declared = columns.versions.declared[cursor.versionIndex]!;
    const start = `${utcText(cursor.startMs)}/${cursor.lengthMs / 60_000}m`;
    texts.push(
      [lines[cursor.index], meter, channel, start, value, cursor.unit, cursor.qualityCode, declared].join(' '),
    );
  }
  return texts;
}

function lineNumbers({ firstLine, lineDeltas }: ReadingBatch): readonly number[] {
  const lines: number[] = [];
  let line = firstLine;
  let index = 0;
  lineDeltas.ends.forEach((end, run) => {
    for (; index < end; index++) {
      line += lineDeltas.values[run]!;
      lines.push(line);
    }
  });
  return lines;
}

export interface PushOptions {
  readonly body: string | Uint8Array;
  readonly type?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PushAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: {
    readonly sourceId: string;
    readonly code: string;
    readonly detail: string;
    readonly received: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly rejects: readonly { readonly line: number; readonly code: string; readonly reason: string }[];
    readonly errors: readonly { readonly at: string; readonly problem: string }[];
    readonly links: { readonly receipt: string };
  };
}

/** Pushes as a provider does. */
export async function push(stand: IngestStand, key: string, options: PushOptions): Promise<PushAnswer> {
  const { body, type = 'text/csv', query = '', headers = {} } = options;
  const answer = await fetch(`${stand.url}/v1/readings${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': type, ...headers },
    body: body as string | Uint8Array<ArrayBuffer>,
  });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as PushAnswer['json'] };
}

export const csvHeader = 'meter_id,channel,start,end,value,unit\n';

/** Half-hourly readings of one meter on consecutive lines. */
export function csvLines(count: number, meter = 'm1', fromMs = Date.UTC(2015, 0, 1)): string {
  let text = '';
  for (let index = 0; index < count; index++) {
    const startMs = fromMs + index * 1_800_000;
    text += `${meter},import,${utcText(startMs)},${utcText(startMs + 1_800_000)},${(index % 1_000) / 1_000},kWh\n`;
  }
  return text;
}

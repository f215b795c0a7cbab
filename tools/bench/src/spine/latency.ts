import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note, print } from '@meterflow/command-line';
import { localCredential } from '@meterflow/http';
import { startDevServer } from '../dev-server.ts';

export interface LatencyOptions {
  /** The load beside the probes; a tenth of what the spine takes. */
  readonly readingsPerSecond: number;
  readonly seconds: number;
  readonly json: boolean;
}

/** One push of the load: so many meters send so many quarter hours each. */
const metersPerPush = 8;
const readingsPerMeter = 500;
const readingsPerPush = metersPerPush * readingsPerMeter;
const quarterHourMs = 900_000;
const firstReadingMs = Date.UTC(2025, 0, 1);
const probeEveryMs = 250;
/** A server that has just started compiles itself: what it takes meanwhile is told of the first push alone. */
const warmUpSeconds = 5;
const lookEveryMs = 4;

/**
 * How long it takes from a push to the aggregate that a query gives back, while other pushes come in: every probe is a
 * reading of a meter of its own, asked for by the hour until its sum is there.
 */
export async function latency({ readingsPerSecond, seconds, json }: LatencyOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-latency-'));
  const server = await startDevServer(join(folder, 'data'));
  try {
    const sockets = {
      ingest: join(server.dataDir, 'run/ingest.local.sock'),
      control: join(server.dataDir, 'run/control.local.sock'),
    };
    const stop = new AbortController();
    note(`load: ${readingsPerSecond} readings/s in pushes of ${readingsPerPush}, for ${seconds} s …`);
    const load = pushLoad(sockets.ingest, readingsPerSecond, stop.signal);
    const latenciesMs: number[] = [];
    const warmUpProbes = (warmUpSeconds * 1000) / probeEveryMs;
    for (let probe = 0; probe < warmUpProbes + (seconds * 1000) / probeEveryMs; probe++) {
      const startedMs = performance.now();
      latenciesMs.push(await probed(sockets, probe));
      await wait(Math.max(0, probeEveryMs - (performance.now() - startedMs)));
    }
    stop.abort();
    const pushed = await load;
    tell(
      latenciesMs.slice(warmUpProbes).toSorted((a, b) => a - b),
      { firstMs: Math.round(latenciesMs[0] as number), pushed, seconds: warmUpSeconds + seconds, json },
    );
    return true;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

interface Sockets {
  readonly ingest: string;
  readonly control: string;
}

async function probed({ ingest, control }: Sockets, probe: number): Promise<number> {
  const meter = `probe-${probe}`;
  const startedMs = performance.now();
  await send(ingest, { method: 'POST', path: '/v1/readings', body: csvOf([meter], 0, 1) });
  const path = `/v1/aggregates?meter=${meter}&channel=import&from=2025-01-01&to=2025-01-02&resolution=hour`;
  for (;;) {
    const answer = JSON.parse(await send(control, { method: 'GET', path })) as { aggregates: unknown[] };
    if (answer.aggregates.length > 0) {
      return performance.now() - startedMs;
    }
    await wait(lookEveryMs);
  }
}

/** Pushes at an even rate; a push that is late is not made up for. Resolves with how many readings were taken. */
async function pushLoad(socket: string, readingsPerSecond: number, signal: AbortSignal): Promise<number> {
  const everyMs = (readingsPerPush / readingsPerSecond) * 1000;
  let pushed = 0;
  for (let push = 0; !signal.aborted; push++) {
    const startedMs = performance.now();
    const meters = Array.from({ length: metersPerPush }, (_, index) => `load-${push}-${index}`);
    await send(socket, { method: 'POST', path: '/v1/readings', body: csvOf(meters, 0, readingsPerMeter) });
    pushed += readingsPerPush;
    await wait(Math.max(0, everyMs - (performance.now() - startedMs)));
  }
  return pushed;
}

function csvOf(meters: readonly string[], first: number, count: number): string {
  const lines = ['meter_id,channel,start,value,unit'];
  for (const meter of meters) {
    for (let slot = first; slot < first + count; slot++) {
      const start = new Date(firstReadingMs + slot * quarterHourMs).toISOString().replace('.000Z', 'Z');
      lines.push(`${meter},import,${start},0.${(slot % 89) + 10},kWh`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function send(
  socketPath: string,
  { method, path, body }: { method: string; path: string; body?: string },
): Promise<string> {
  const role = method === 'POST' ? 'provider' : 'customer';
  const headers = {
    authorization: `Bearer ${localCredential(role, 'default')}`,
    ...(body === undefined ? {} : { 'content-type': 'text/csv' }),
  };
  return new Promise((resolve, reject) => {
    request({ socketPath, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () => {
        if (answer.statusCode === 200) {
          resolve(text);
        } else {
          reject(new Error(`${method} ${path}: ${answer.statusCode ?? 0} ${text}`));
        }
      });
    })
      .on('error', reject)
      .end(body);
  });
}

function tell(
  sortedMs: readonly number[],
  { firstMs, pushed, seconds, json }: { firstMs: number; pushed: number; seconds: number; json: boolean },
): void {
  const at = (share: number): number =>
    Math.round(sortedMs[Math.min(sortedMs.length - 1, Math.floor(sortedMs.length * share))] ?? 0);
  const told = {
    probes: sortedMs.length,
    loadReadingsPerSecond: Math.round(pushed / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    firstMs,
  };
  print(
    json
      ? JSON.stringify({ latency: told })
      : `push to queryable aggregate: p50 ${told.p50Ms} ms, p99 ${told.p99Ms} ms, max ${told.maxMs} ms (${told.probes} probes at ${told.loadReadingsPerSecond} readings/s)\n  the first push after a start: ${firstMs} ms`,
  );
}

function wait(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}

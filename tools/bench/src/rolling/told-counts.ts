import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Point {
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  readonly asDouble?: number;
  readonly asInt?: number | string;
  readonly sum?: number;
}

interface Metric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

interface Export {
  readonly resourceMetrics?: readonly {
    readonly resource?: { readonly attributes?: Point['attributes'] };
    readonly scopeMetrics?: readonly { readonly metrics?: readonly Metric[] }[];
  }[];
}

/**
 * An OpenTelemetry collector that only adds up: what processes counted until their very end, also those that are gone,
 * which nobody can ask any more.
 */
export class ToldCounts {
  readonly #server: Server;
  /** The latest of each process: its counts are sums since its start. */
  readonly #latest = new Map<string, { readonly name: string; readonly labels: ReadonlySet<string>; value: number }>();

  private constructor() {
    this.#server = createServer((request, response) => {
      void json(request).then(
        (body) => {
          this.#take(body as Export);
          response.end('{}');
        },
        () => response.destroy(),
      );
    });
  }

  /** On the address at which the processes find it. */
  static async listen(address = '127.0.0.1'): Promise<ToldCounts> {
    const counts = new ToldCounts();
    counts.#server.listen(0, address);
    await once(counts.#server, 'listening');
    return counts;
  }

  /** Makes a service tell it. */
  get environment(): Readonly<Record<string, string>> {
    const { address, port } = this.#server.address() as AddressInfo;
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${address}:${port}`, OTEL_TRACES_SAMPLER_ARG: '0' };
  }

  /** The sum over all processes of a counter, or of what a histogram observed, where it has all these labels. */
  total(name: string, ...labels: readonly string[]): number {
    return [...this.#latest.values()]
      .filter((each) => each.name === name && labels.every((label) => each.labels.has(label)))
      .reduce((sum, { value }) => sum + value, 0);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take({ resourceMetrics = [] }: Export): void {
    for (const { resource, scopeMetrics = [] } of resourceMetrics) {
      const process = labelsOf(resource?.attributes).join();
      for (const metric of scopeMetrics.flatMap(({ metrics = [] }) => metrics)) {
        this.#keep(process, metric);
      }
    }
  }

  #keep(process: string, { name, sum, histogram }: Metric): void {
    for (const point of sum?.dataPoints ?? histogram?.dataPoints ?? []) {
      const labels = labelsOf(point.attributes);
      const value = Number(point.sum ?? point.asDouble ?? point.asInt ?? 0);
      this.#latest.set([process, name, ...labels].join('|'), { name, labels: new Set(labels), value });
    }
  }
}

/** As `key=value`. */
function labelsOf(attributes: Point['attributes'] = []): string[] {
  return attributes.map(({ key, value }) => `${key}=${value.stringValue ?? ''}`).toSorted();
}

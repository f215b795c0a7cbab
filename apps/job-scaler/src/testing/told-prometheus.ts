import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers queries as Prometheus does, with values that a test tells. */
export class ToldPrometheus {
  /** The value for a query; undefined is an answer without one, as Prometheus has where nothing was scraped. */
  valueOf: (query: string) => number | undefined = () => 0;
  readonly asked = new Set<string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const query = new URL(request.url ?? '', 'http://here').searchParams.get('query') ?? '';
      this.asked.add(query);
      const value = this.valueOf(query);
      const result = value === undefined ? [] : [{ metric: {}, value: [Date.now() / 1_000, String(value)] }];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  }

  static async listen(): Promise<ToldPrometheus> {
    const told = new ToldPrometheus();
    told.#server.listen(0, '127.0.0.1');
    await once(told.#server, 'listening');
    return told;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

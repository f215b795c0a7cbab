import { defineRoute, Problem, type Route } from '@meterflow/http';
import { z } from 'zod';
import type { ControlPorts } from '../ports.ts';
import { recompute } from '../recompute-scope.ts';
import { exportLines } from '../registry-files/export-registry.ts';
import { importRegistry, TooManyLinesError, type RegistryImport } from '../registry-files/import-registry.ts';
import { RegistryHeaderError, registryLines, type RegistryReject } from '../registry-files/registry-lines.ts';
import { asProblem } from './tenants.ts';

const importBytesMax = 2 * 1024 ** 3;
const flag = z.enum(['true', 'false']).default('false');

export type RegistryFilePorts = Pick<
  ControlPorts,
  'series' | 'calendars' | 'recomputes' | 'dueRecomputes' | 'tenants' | 'sources' | 'sleep'
>;

/** Files of what is to be known of series; each tenant brings and takes its own. */
export function registryFileRoutes(ports: RegistryFilePorts): readonly Route[] {
  return [importRoute(ports), exportRoute(ports)];
}

function importRoute(ports: RegistryFilePorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/registry/import',
    operationId: 'importRegistry',
    summary: 'Settings, tags and memberships of many series, as CSV or NDJSON; what they touch is computed anew',
    roles: ['customer', 'operator'],
    takesBytes: ['text/csv', 'application/x-ndjson'],
    bodyBytesMax: importBytesMax,
    query: z.strictObject({ allOrNothing: flag }),
    answers: { 200: { description: 'rejects and progress, then what was done', mediaType: 'application/x-ndjson' } },
    handle: async (request) => {
      const { principal, query, bytes, signal } = request;
      const { tenant } = principal;
      await ports.tenants.require(tenant).catch(asProblem);
      const format = request.header('content-type')?.includes('csv') === true ? 'csv' : 'ndjson';
      const told = new Telling();
      const calendars = new Set((await ports.calendars.list(tenant)).map(({ name }) => name));
      const work = importRegistry(tenant, registryLines(bytes, { format, calendars }), {
        series: ports.series,
        allOrNothing: query.allOrNothing === 'true',
        onReject: (reject) => {
          told.add({ reject });
        },
        onProgress: (progress) => {
          told.add({ progress });
        },
        dueRecomputes: ports.dueRecomputes,
        onTouched: async (touched) => {
          await recompute(ports, tenant, touched);
        },
        signal,
      });
      work.then(
        (done) => {
          told.end({ done });
        },
        (error: unknown) => {
          told.end({ failed: importProblem(error) });
        },
      );
      return { stream: told, headers: { 'content-type': 'application/x-ndjson' } };
    },
  });
}

function exportRoute({ series }: RegistryFilePorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/registry/export',
    operationId: 'exportRegistry',
    summary: 'Every registered series as NDJSON lines, as an import takes them',
    roles: ['customer', 'operator'],
    answers: { 200: { description: 'one or more lines a series', mediaType: 'application/x-ndjson' } },
    handle: ({ principal: { tenant } }) =>
      Promise.resolve({
        headers: { 'content-type': 'application/x-ndjson' },
        stream: (async function* () {
          for await (const entry of series.all(tenant)) {
            yield exportLines(entry)
              .map((line) => `${JSON.stringify(line)}\n`)
              .join('');
          }
        })(),
      }),
  });
}

type Told =
  | { readonly reject: RegistryReject }
  | { readonly progress: RegistryImport }
  | { readonly done: RegistryImport }
  | { readonly failed: { readonly code: string; readonly detail: string } };

/** Lines of an answer, as they come to be known. Of progress only the newest waits for a slow reader. */
class Telling implements AsyncIterable<string> {
  #waiting: Told[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;

  add(line: Told): void {
    if ('progress' in line) {
      this.#waiting = this.#waiting.filter((each) => !('progress' in each));
    }
    this.#waiting.push(line);
    this.#wake();
  }

  end(line: Told): void {
    this.add(line);
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const lines = this.#waiting;
      this.#waiting = [];
      yield* lines.map((line) => `${JSON.stringify(line)}\n`);
      if (this.#waiting.length === 0) {
        if (this.#isEnded) {
          return;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function importProblem(error: unknown): { readonly code: string; readonly detail: string } {
  if (error instanceof Problem) {
    return { code: error.code, detail: error.message };
  }
  if (error instanceof z.ZodError) {
    return { code: 'invalid-request', detail: error.issues.map(({ message }) => message).join('; ') };
  }
  const isAsked = error instanceof RegistryHeaderError || error instanceof TooManyLinesError;
  return isAsked
    ? { code: 'invalid-request', detail: error.message }
    : { code: 'internal', detail: 'the import broke off: what was applied stands, import the same file again' };
}

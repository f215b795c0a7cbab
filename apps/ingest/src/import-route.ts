import { defaultMapping, builtInMappings, type Mapping } from '@meterflow/formats';
import { defineRoute, Problem, type Route } from '@meterflow/http';
import { z } from 'zod';
import { importFile } from './import-file.ts';
import type { TakeInPorts } from './take-in.ts';

const importRequest = z.strictObject({
  path: z.string().min(1).describe('absolute path of a file on this machine'),
  mapping: z.string().optional().describe('name of a mapping; chosen by the header where absent'),
  sourceVersion: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
});

/** How often progress is told. */
const progressEveryMs = 100;

/**
 * Imports a file by its path, telling progress as NDJSON; the last line is the closing. Only on the local socket: whoever
 * may open that may read the data directory anyway.
 */
export function importRoute(ports: TakeInPorts, mappingNamed: (tenant: string, name: string) => Promise<Mapping | undefined>): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/imports',
    operationId: 'importFile',
    summary: 'Import a file of this machine',
    roles: ['operator'],
    body: importRequest,
    answers: { 200: { description: 'progress, then the closing, as NDJSON', mediaType: 'application/x-ndjson' } },
    handle: async ({ principal: { tenant }, body: { path, mapping: name, sourceVersion } }) => {
      const mapping = name === undefined ? undefined : await mappingNamed(tenant, name);
      if (name !== undefined && mapping === undefined) {
        throw new Problem('invalid-request', `there is no mapping "${name}"; built in are ${builtInMappings.map((each) => each.name).join(', ')}`);
      }
      const lines = new Lines();
      const file = {
        tenant,
        path,
        ...(mapping === undefined ? {} : { mapping }),
        mappings: [...builtInMappings, defaultMapping],
        sourceVersion,
        onProgress: lines.progress,
      };
      importFile(file, ports).then(lines.close, lines.fail);
      return Promise.resolve({ stream: lines, headers: { 'content-type': 'application/x-ndjson' } });
    },
  });
}

/** Lines that are written as they come about; progress that nobody has read yet is replaced by newer. */
class Lines implements AsyncIterable<string> {
  #progress: object | undefined;
  #last: object | undefined;
  #lastToldMs = 0;
  #wake: () => void = () => undefined;

  readonly progress = (progress: object): void => {
    const nowMs = performance.now();
    if (nowMs - this.#lastToldMs >= progressEveryMs) {
      this.#lastToldMs = nowMs;
      this.#progress = progress;
      this.#wake();
    }
  };

  readonly close = (closing: object): void => {
    this.#last = { ...closing, closed: true };
    this.#wake();
  };

  readonly fail = (error: unknown): void => {
    this.#last = { error: error instanceof Error ? error.message : String(error) };
    this.#wake();
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      if (this.#progress !== undefined) {
        yield `${JSON.stringify(this.#progress)}\n`;
        this.#progress = undefined;
      } else if (this.#last !== undefined) {
        yield `${JSON.stringify(this.#last)}\n`;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

import { basename } from 'node:path';
import { defineRoute, Problem, type AdmittedRequest, type Reply, type Route } from '@meterflow/http';
import { z } from 'zod';
import { checkDailyQuota } from './daily-quota.ts';
import { toldToOwner } from './fatal-watch.ts';
import { importableFile, importFile, NotImportableError, type FileImport } from './import-file.ts';
import { importsAtOnceMax } from './limits.ts';
import type { Mappings } from './mappings.ts';
import { InterruptedError } from './attempt.ts';
import type { TakeInPorts } from './source-request.ts';

const importRequest = z.strictObject({
  path: z.string().min(1).startsWith('/', 'is not absolute').describe('absolute path of a file on this machine'),
  mapping: z.string().optional().describe('name of a mapping; chosen by the header where absent'),
  sourceVersion: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  delivery: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('names this import: sent again after a crash it is found, also when it was finished'),
});

type ImportCall = AdmittedRequest<unknown, unknown, z.output<typeof importRequest>>;

/** How often progress is told. */
const progressEveryMs = 100;
const retryAfterSeconds = 5;

/** The imports in work, so that a process that stops lets them come to their end, or to where they are resumed from. */
export class Imports {
  readonly #running = new Set<Promise<void>>();

  /** Throws Problem `overloaded`. */
  checkRoom(): void {
    if (this.#running.size >= importsAtOnceMax) {
      throw new Problem('overloaded', `${importsAtOnceMax} imports are in work`, { retryAfterSeconds });
    }
  }

  add(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}

export interface ImportDoor {
  readonly takeIn: TakeInPorts;
  readonly mappings: Mappings;
  readonly imports: Imports;
}

/**
 * Imports a file by its path, telling progress as NDJSON; the last line is the closing, or an error. Goes on to the end
 * when whoever asked goes away. Only on the local socket: whoever may open that may read the data directory anyway.
 */
export function importRoute(door: ImportDoor): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/imports',
    operationId: 'importFile',
    summary: 'Import a file of this machine',
    roles: ['operator'],
    body: importRequest,
    answers: { 200: { description: 'progress, then the closing, as NDJSON', mediaType: 'application/x-ndjson' } },
    handle: (request) => toldToOwner(() => begin(request, door)),
  });
}

async function begin(request: ImportCall, { takeIn, mappings, imports }: ImportDoor): Promise<Reply> {
  const { quotas, body } = request;
  const { tenant } = request.principal;
  const { sources, clock } = takeIn;
  await checkDailyQuota({ tenant, ...quotas }, { sources, nowMs: () => clock.nowMs() });
  const mapping = await namedMapping(mappings, tenant, body.mapping);
  const path = await readable(body.path);
  const choices = await mappings.choices(tenant);
  const lines = new Lines();
  const file: FileImport = {
    tenant,
    path,
    label: basename(body.path),
    ...(body.delivery === undefined ? {} : { delivery: body.delivery }),
    ...(mapping === undefined ? {} : { mapping }),
    mappings: choices,
    sourceVersion: body.sourceVersion,
    bytesMax: quotas.bytesPerRequest,
    onProgress: lines.progress,
  };
  imports.checkRoom();
  imports.add(importFile(file, takeIn).then(lines.close, lines.fail));
  return { stream: lines, headers: { 'content-type': 'application/x-ndjson' } };
}

async function namedMapping(
  mappings: Mappings,
  tenant: string,
  name: string | undefined,
): Promise<FileImport['mapping']> {
  if (name === undefined) {
    return undefined;
  }
  const found = await mappings.get(tenant, name);
  if (found === undefined) {
    const known = (await mappings.list(tenant)).map(({ mapping }) => mapping.name).join(', ');
    throw new Problem('invalid-request', `there is no mapping "${name}"; there are ${known}`);
  }
  return found.mapping;
}

async function readable(path: string): Promise<string> {
  try {
    return await importableFile(path);
  } catch (error) {
    throw error instanceof NotImportableError ? new Problem('invalid-request', error.message, { cause: error }) : error;
  }
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
    const code = error instanceof InterruptedError ? { code: 'interrupted' } : {};
    this.#last = { error: error instanceof Error ? error.message : String(error), ...code };
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

import { exportCanonical, type EmbeddedBus } from '@meterflow/embedded';
import { defineRoute, Problem, type Route } from '@meterflow/http';
import { FatalError } from '@meterflow/stage';
import { z } from 'zod';

export interface LocalPorts {
  readonly directory: string;
  readonly bus: EmbeddedBus;
}

/** Routes for whoever owns the data directory; never on an address that others reach. */
export function localRoutes(ports: LocalPorts): readonly Route[] {
  return [exportRoute(ports), replayRoute(ports)];
}

function exportRoute({ directory }: LocalPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/export',
    operationId: 'exportCanonical',
    summary: 'The canonical export of all tenants',
    roles: ['operator'],
    answers: { 200: { description: 'Sorted NDJSON', mediaType: 'application/x-ndjson' } },
    handle: ({ signal }) =>
      Promise.resolve({
        stream: exportedLines(directory, signal),
        headers: { 'content-type': 'application/x-ndjson' },
      }),
  });
}

/** Hands pieces from the export to whoever reads, one at a time: the export waits until a piece is taken. */
async function* exportedLines(directory: string, signal: AbortSignal): AsyncGenerator<string> {
  let offered = Promise.withResolvers<string | undefined>();
  let taken = Promise.withResolvers<undefined>();
  const done = exportCanonical({
    directory,
    write: async (lines) => {
      signal.throwIfAborted();
      offered.resolve(lines);
      await taken.promise;
    },
  }).then(
    () => {
      offered.resolve(undefined);
    },
    (error: unknown) => {
      offered.reject(error);
    },
  );
  for (let lines = await offered.promise; lines !== undefined; lines = await offered.promise) {
    yield lines;
    offered = Promise.withResolvers();
    const answered = taken;
    taken = Promise.withResolvers();
    answered.resolve(undefined);
  }
  await done;
}

function replayRoute({ bus }: LocalPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/replay',
    operationId: 'replay',
    summary: 'Deliver to a subscription what was published since an instant once more',
    roles: ['operator'],
    body: z.strictObject({ subscription: z.string().min(1).max(200), from: z.iso.datetime({ offset: true }) }),
    answers: { 200: { description: 'What waits there now', schema: z.object({ messages: z.number().int() }) } },
    handle: ({ body: { subscription, from } }) => {
      try {
        bus.replay({ subscription, fromMs: Date.parse(from) });
      } catch (error) {
        if (error instanceof FatalError) {
          throw new Problem('not-found', error.message, { cause: error });
        }
        throw error;
      }
      const backlog = bus.backlog().find((each) => each.subscription === subscription);
      return Promise.resolve({ json: { messages: backlog?.messages ?? 0 } });
    },
  });
}

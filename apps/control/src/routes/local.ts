import { defineRoute, Problem, type Route } from '@meterflow/http';
import { FatalError, type ReplayRequest } from '@meterflow/stage';
import { z } from 'zod';

export interface LocalPorts {
  /** The canonical export, some whole lines at a time; the next are made when these are taken. */
  readonly exportLines: (signal: AbortSignal) => AsyncIterable<string>;
  /**
   * Resolves with how many messages then wait, where the bus can tell. Rejects with a FatalError when there is no such
   * subscription.
   */
  readonly replay: (request: ReplayRequest) => Promise<number | undefined>;
}

/** Routes for whoever owns the data directory; never on an address that others reach. */
export function localRoutes(ports: LocalPorts): readonly Route[] {
  return [exportRoute(ports), replayRoute(ports)];
}

function exportRoute({ exportLines }: LocalPorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/export',
    operationId: 'exportCanonical',
    summary: 'The canonical export of all tenants',
    roles: ['operator'],
    answers: { 200: { description: 'Sorted NDJSON', mediaType: 'application/x-ndjson' } },
    handle: ({ signal }) =>
      Promise.resolve({
        stream: exportLines(signal),
        headers: { 'content-type': 'application/x-ndjson' },
      }),
  });
}

function replayRoute({ replay }: LocalPorts): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/replay',
    operationId: 'replay',
    summary: 'Deliver to a subscription what was published since an instant once more',
    roles: ['operator'],
    body: z.strictObject({ subscription: z.string().min(1).max(200), from: z.iso.datetime({ offset: true }) }),
    answers: {
      200: {
        description: 'What waits there now, where the bus can tell',
        schema: z.object({ messages: z.number().int().optional() }),
      },
    },
    handle: async ({ body: { subscription, from } }) => {
      try {
        return { json: { messages: await replay({ subscription, fromMs: Date.parse(from) }) } };
      } catch (error) {
        if (error instanceof FatalError) {
          throw new Problem('not-found', error.message, { cause: error });
        }
        throw error;
      }
    },
  });
}

import { defineRoute, Problem, type Route } from '@meterflow/http';
import { channelName, meterName } from '@meterflow/readings';
import { z } from 'zod';
import type { ControlPorts, Erasure, ErasureRequest } from '../ports.ts';
import { tellScope } from '../recompute-scope.ts';

const count = z.number().int();
const stored = z.object({ series: count, rows: count, historyRows: count });
const places = z.object({
  raw: stored.describe('days of readings as they came, and what they superseded'),
  validated: stored,
  aggregates: stored,
  receipts: z.object({ labels: count, rejects: count }).describe('names of files; rejected lines, whose numbers stay'),
  deadLetters: z
    .object({ purged: count, reduced: count })
    .describe('dead letters and parked batches; reduced: those that keep the readings of other series'),
  droppedFiles: count.describe('files that the drop folder has taken; of a whole tenant alone'),
});
const proof = z.object({
  id: z.string(),
  tenant: z.string(),
  meter: z.string().optional(),
  channel: z.string().optional(),
  upTo: z.string().describe('the tombstone: what was accepted up to it is gone and never comes back'),
  ticket: count.describe('the tombstone of the aggregates'),
  erased: places,
  found: places.describe('what a second look found: all 0, or what was accepted since'),
  clean: z.boolean().describe('whether the second look found nothing'),
  keptForReplay: z
    .object({ messages: count.optional(), until: z.string().optional() })
    .describe('messages on the bus, as far as it can tell; handled once more they store nothing that was erased'),
  warehouseRows: count.optional().describe('rows that left the warehouse, where there is one'),
  droppedFilesKept: count,
  leftUploadsRemoved: count,
});
const erasure = z.object({
  id: z.string(),
  tenant: z.string(),
  meter: z.string().optional(),
  channel: z.string().optional(),
  upTo: z.string(),
});

const meter = z.string().min(1).max(64).describe('erases this meter alone');
const channel = z.string().min(1).max(64).describe('erases this channel of it alone');
const body = z.union([
  z.strictObject({ everything: z.literal(true).describe('erases all readings of the tenant') }),
  z.strictObject({ meter, channel: channel.optional() }),
]);

type ErasurePorts = Pick<
  ControlPorts,
  'erasures' | 'tenants' | 'recomputes' | 'dueRecomputes' | 'series' | 'groupsNow'
>;

/** Household readings are personal data: an operator erases those of the own tenant, for good. */
export function erasureRoutes(ports: ErasurePorts): readonly Route[] {
  return [eraseRoute(ports), listRoute(ports)];
}

function eraseRoute(ports: ErasurePorts): Route {
  const { erasures, tenants, dueRecomputes } = ports;
  return defineRoute({
    method: 'POST',
    path: '/v1/erasures',
    operationId: 'erase',
    summary: 'Erases readings of the tenant for good, and proves it',
    roles: ['operator'],
    body,
    answers: { 201: { description: 'The proof', schema: proof } },
    handle: async ({ principal: { tenant }, body: wanted }) => {
      if ((await tenants.get(tenant)) === undefined) {
        throw new Problem('not-found', `there is no tenant ${tenant}`);
      }
      const done = await erasures.erase({ tenant, ...seriesOf(wanted) });
      if (done.due !== undefined) {
        await tellScope(ports, done.due);
        await dueRecomputes.done(done.due);
      }
      return { status: 201, json: proofOf(done) };
    },
  });
}

function listRoute({ erasures }: ErasurePorts): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/erasures',
    operationId: 'listErasures',
    summary: 'What was erased of the tenant, oldest first',
    roles: ['operator'],
    answers: { 200: { description: 'The tombstones', schema: z.object({ erasures: z.array(erasure) }) } },
    handle: async ({ principal: { tenant } }) => ({
      json: { erasures: (await erasures.list(tenant)).map(tombstoneOf) },
    }),
  });
}

function seriesOf(wanted: z.output<typeof body>): Pick<ErasureRequest, 'series'> {
  if ('everything' in wanted) {
    return {};
  }
  try {
    const named = { meter: meterName(wanted.meter) };
    return { series: wanted.channel === undefined ? named : { ...named, channel: channelName(wanted.channel) } };
  } catch (error) {
    throw new Problem('invalid-request', (error as Error).message, { cause: error });
  }
}

function tombstoneOf({
  id,
  tenant,
  series,
  upToMs,
}: ErasureRequest & { id: string; upToMs: number }): z.infer<typeof erasure> {
  return { id, tenant, ...series, upTo: new Date(upToMs).toISOString() };
}

function proofOf(done: Erasure): z.infer<typeof proof> {
  const { ticket, erased, found, kept, warehouseRows, droppedFilesKept, leftUploadsRemoved } = done;
  const until = kept.untilMs === undefined ? {} : { until: new Date(kept.untilMs).toISOString() };
  return {
    ...tombstoneOf(done),
    ticket,
    erased,
    found,
    clean: numbersOf(found).every((number) => number === 0),
    keptForReplay: { messages: kept.messages, ...until },
    ...(warehouseRows === undefined ? {} : { warehouseRows }),
    droppedFilesKept,
    leftUploadsRemoved,
  };
}

function numbersOf(value: unknown): readonly number[] {
  return typeof value === 'number' ? [value] : Object.values(value as object).flatMap(numbersOf);
}

import { randomUUID } from 'node:crypto';
import { defaultMapping, mappingForHeader, UnreadableSourceError, type Mapping } from '@meterflow/formats';
import { defineRoute, Problem, type AdmittedRequest, type Reply, type Route } from '@meterflow/http';
import { ContentConflictError, type Receipt, type Uploads } from '@meterflow/receipts';
import { z } from 'zod';
import type { BackPressure } from './back-pressure.ts';
import { receiveBody, type Body } from './body.ts';
import { beginningOf, packingOf, unpacked } from './content.ts';
import { checkDailyQuota } from './daily-quota.ts';
import { bodyBytesMax, labelCharsMax, unpackedBytesMax } from './limits.ts';
import { noMapping } from './mapping-routes.ts';
import type { Mappings } from './mappings.ts';
import type { SourceFormat } from './open-reader.ts';
import { idempotencyKey, pushedFormat, pushedPacking, pushedTypes, requestHash } from './push-request.ts';
import { InterruptedError } from './attempt.ts';
import type { TakeInPorts, TakenIn } from './source-request.ts';
import { SettingsGoneError, takeIn } from './take-in.ts';
import type { Workload } from './workload.ts';

export interface PushDoor {
  readonly takeIn: TakeInPorts;
  readonly uploads: Uploads;
  readonly mappings: Mappings;
  readonly workload: Workload;
  readonly backPressure: BackPressure;
  /** A larger body is spooled, and goes through the bulk lane: it must not stand before others' live readings. */
  readonly bodyInMemoryBytesMax?: number;
}

const query = z.strictObject({
  mapping: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe('name of a mapping; chosen by the header of a CSV where absent'),
  sourceVersion: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe('declared for all lines'),
  label: z.string().max(labelCharsMax).default('').describe('what a person calls it'),
});
type PushRequest = AdmittedRequest<unknown, z.output<typeof query>, unknown>;

const count = z.number().int();
/** A receipt as the doors answer with it. */
export const receiptAnswer = z.object({
  sourceId: z.string(),
  state: z.enum(['receiving', 'processing', 'complete']),
  received: count,
  accepted: count,
  rejected: count,
  rejectsListed: count.describe('how many of them are in the list: all, up to a million'),
  rejects: z.array(z.unknown()).describe('the first ones: line, column, code, reason, text'),
  repeated: count.describe('readings that it brings more than once'),
  gaps: count.describe('holes between readings of a series; `missing` readings would fill them'),
  missing: count,
  assumed: count.describe('readings whose interval length nothing told: they count as 15 minutes'),
  remarks: z.array(z.unknown()).describe('the first ones: line, code, reason, text'),
  links: z.object({ receipt: z.string(), rejects: z.string() }),
});

/** Takes readings in over HTTP: the answer says that every reading which was accepted is durable. */
export function pushRoute(door: PushDoor): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/readings',
    operationId: 'pushReadings',
    summary: 'Bring readings; with an Idempotency-Key, again without harm',
    roles: ['provider', 'operator'],
    query,
    takesBytes: pushedTypes,
    bodyBytesMax,
    answers: { 200: { description: 'The receipt; every accepted reading is durable', schema: receiptAnswer } },
    handle: (request) => door.workload.run(request.principal.tenant, () => push(request, door)),
  });
}

/** 1. what needs no body, 2. the body, whole and hashed, 3. what is taken in, awaited, 4. the answer. */
async function push(request: PushRequest, door: PushDoor): Promise<Reply> {
  const { principal, quotas } = request;
  const { tenant } = principal;
  const format = pushedFormat(request.header('content-type'));
  const packing = pushedPacking(request.header('content-encoding'));
  const key = idempotencyKey(request.header('idempotency-key'));
  const named = await namedMapping(request, format, door);
  await door.backPressure.check();
  const { sources, clock } = door.takeIn;
  await checkDailyQuota({ tenant, ...quotas }, { sources, nowMs: () => clock.nowMs() });
  try {
    const body = await receiveBody(unpacked(request.bytes, packing), {
      uploads: door.uploads,
      workload: door.workload,
      bytesMax: Math.min(unpackedBytesMax, quotas.bytesPerRequest),
      ...(door.bodyInMemoryBytesMax === undefined ? {} : { inMemoryBytesMax: door.bodyInMemoryBytesMax }),
    });
    try {
      return await receiptReply(tenant, await take({ request, format, key, named, body }, door), door);
    } finally {
      await body.release();
    }
  } catch (error) {
    throw takeInProblem(error);
  }
}

interface Pushed {
  readonly request: PushRequest;
  readonly format: SourceFormat;
  readonly key: string | undefined;
  readonly named: Mapping | undefined;
  readonly body: Body;
}

async function take({ request, format, key, named, body }: Pushed, door: PushDoor): Promise<TakenIn> {
  const { tenant } = request.principal;
  const { mapping: asked, sourceVersion, label } = request.query;
  if (body.bytes === 0) {
    throw new Problem('unprocessable-content', 'the body is empty');
  }
  const packing = format === 'columns' ? 'plain' : packingOf(await beginningOf(body.read()));
  if (packing !== 'plain') {
    const detail = `the body is packed with ${packing}: say so with "Content-Encoding: ${packing}"`;
    throw new Problem('unprocessable-content', detail);
  }
  const mapping = named ?? (format === 'csv' ? await byHeader(tenant, body, door) : undefined) ?? defaultMapping;
  return takeIn(
    {
      tenant,
      kind: 'request',
      lane: body.isSpooled ? 'bulk' : 'live',
      identity: key ?? randomUUID(),
      delivery: 'request',
      contentHash: requestHash({ contentHash: body.contentHash, format, mapping: asked, sourceVersion }),
      label,
      format,
      mapping,
      sourceVersion,
      bytes: () => body.read(),
    },
    door.takeIn,
  );
}

async function namedMapping(
  request: PushRequest,
  format: SourceFormat,
  { mappings }: PushDoor,
): Promise<Mapping | undefined> {
  const { mapping: name } = request.query;
  if (name === undefined) {
    return undefined;
  }
  if (format === 'columns') {
    throw new Problem('invalid-request', 'columns need no mapping: leave it out');
  }
  const found = await mappings.get(request.principal.tenant, name);
  if (found === undefined) {
    throw noMapping(name);
  }
  return found.mapping;
}

async function byHeader(tenant: string, body: Body, { mappings }: PushDoor): Promise<Mapping | undefined> {
  return mappingForHeader(await beginningOf(body.read()), await mappings.choices(tenant));
}

/** The receipt of what was taken in. Throws Problem `unprocessable-content` where all of it was refused. */
export async function receiptReply(
  tenant: string,
  taken: TakenIn,
  { takeIn: { sources } }: Pick<PushDoor, 'takeIn'>,
): Promise<Reply> {
  const { sourceId, counts, refusal, replayed } = taken;
  const path = `/v1/sources/${encodeURIComponent(sourceId)}`;
  const receipt = await sources.receipt(tenant, sourceId);
  if (refusal !== undefined && counts.accepted === 0) {
    throw refused(refusal.reason, { path, rejects: receipt?.rejects ?? [] });
  }
  return {
    headers: { 'cache-control': 'no-store', ...(replayed ? { 'idempotent-replayed': 'true' } : {}) },
    status: 200,
    json: { ...receipt, links: { receipt: path, rejects: `${path}/rejects` } },
  };
}

function refused(
  reason: string,
  { path, rejects }: { readonly path: string; readonly rejects: Receipt['rejects'] },
): Problem {
  const errors = rejects.map(({ line, column, reason: problem }) => ({
    at: line === 0 ? 'body' : `line ${line}${column === '' ? '' : `, ${column}`}`,
    problem,
  }));
  return new Problem('unprocessable-content', `nothing was taken: ${reason} (${path})`, { errors });
}

const retryAfterSeconds = 1;

/** What a sender is told of what `takeIn` throws; anything else stays as it is. */
export function takeInProblem(error: unknown): unknown {
  if (error instanceof ContentConflictError) {
    return new Problem('idempotency-key-reused', error.message, { cause: error });
  }
  if (error instanceof SettingsGoneError) {
    return new Problem('conflict', `${error.message}; send it again with a new Idempotency-Key`, { cause: error });
  }
  if (error instanceof UnreadableSourceError) {
    return new Problem('unprocessable-content', error.message, { cause: error });
  }
  if (error instanceof InterruptedError) {
    return new Problem('unavailable', error.message, { retryAfterSeconds, cause: error });
  }
  return error;
}

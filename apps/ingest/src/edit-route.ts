import { createHash, randomUUID } from 'node:crypto';
import { encodeReadingBatch } from '@meterflow/contracts';
import { defaultMapping } from '@meterflow/formats';
import { defineRoute, Problem, type AdmittedRequest, type Reply, type Route } from '@meterflow/http';
import {
  BatchBuilder,
  channelName,
  InvalidReadingError,
  isIdentifier,
  isUnit,
  meterName,
  missingCode,
  parseDecimal,
  qualityCode,
  rawVersion,
  ReadingRow,
  type Unit,
} from '@meterflow/readings';
import { z } from 'zod';
import { checkDailyQuota } from './daily-quota.ts';
import { labelCharsMax, readingEditsMax, readingReasonCharsMax } from './limits.ts';
import { receiptAnswer, receiptReply, takeInProblem, type PushDoor } from './push-route.ts';
import { idempotencyKey } from './push-request.ts';
import { takeIn } from './take-in.ts';

/** Beside every reading that a person entered. */
const editMethod = 'manual-edit';

const instant = z.iso.datetime({ offset: true });
const identifier = z.string().refine(isIdentifier, 'is not 1 to 64 printable characters');
const words = (charsMax: number): z.ZodType<string> =>
  z
    .string()
    .trim()
    .regex(new RegExp(`^[ -~\\u00a1-\\uffff]{1,${charsMax}}$`), `is not 1 to ${charsMax} printable characters`);

/** As long as an interval can be on the wire. */
const lengthMsMax = 2 ** 32 - 1;

const edit = z
  .strictObject({
    meter: identifier,
    channel: identifier,
    start: instant,
    end: instant.describe('the start itself for a register reading'),
    value: z
      .union([z.number(), z.string().max(40)])
      .nullable()
      .describe('a decimal; null takes the reading back'),
    unit: z.custom<Unit>((text) => typeof text === 'string' && isUnit(text), 'is not a unit'),
    version: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .default(0)
      .describe('one more than the reading has, where its provider declares versions; 0 where it declares none'),
  })
  .refine(({ start, end }) => lengthMsOf(start, end) >= 0 && lengthMsOf(start, end) <= lengthMsMax, {
    path: ['end'],
    message: 'is before the start, or more than 49 days after it',
  });
const body = z.strictObject({
  author: words(64).describe('who says so'),
  reason: words(readingReasonCharsMax).describe(
    'why; it stands beside each reading, and with the author in the receipt',
  ),
  edits: z.array(edit).min(1).max(readingEditsMax),
});
type Edits = z.output<typeof body>;

type EditRequest = AdmittedRequest<unknown, unknown, Edits>;

/**
 * Takes values in that a person entered: a source like any other, with an acceptance and a receipt that says who and why.
 * Its readings have the quality `substituted`, and the later version: of what declares none the later acceptance.
 */
export function editRoute(door: PushDoor): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/edits',
    operationId: 'editReadings',
    summary: 'Put values of one’s own in the place of readings, with author and reason',
    roles: ['customer', 'operator'],
    body,
    answers: { 200: { description: 'The receipt; every accepted edit is durable', schema: receiptAnswer } },
    handle: (request) => door.workload.run(request.principal.tenant, () => takeEdits(request, door)),
  });
}

async function takeEdits(request: EditRequest, door: PushDoor): Promise<Reply> {
  const { principal, quotas, body: edits } = request;
  const { tenant } = principal;
  const key = idempotencyKey(request.header('idempotency-key'));
  const content = encodeReadingBatch(batchOf(edits));
  await door.backPressure.check();
  const { sources, clock } = door.takeIn;
  await checkDailyQuota({ tenant, ...quotas }, { sources, nowMs: () => clock.nowMs() });
  try {
    const taken = await takeIn(
      {
        tenant,
        kind: 'request',
        lane: 'live',
        identity: key ?? randomUUID(),
        delivery: 'request',
        contentHash: createHash('sha256').update(JSON.stringify(edits)).digest('hex'),
        label: `edit by ${edits.author}: ${edits.reason}`.slice(0, labelCharsMax),
        format: 'columns',
        mapping: defaultMapping,
        sourceVersion: 0,
        bytes: () => once(content),
      },
      door.takeIn,
    );
    return await receiptReply(tenant, taken, door);
  } catch (error) {
    throw takeInProblem(error);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source's content comes in pieces; this has one
async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

/** The edits as columns. Throws Problem `unprocessable-content`, with the edit that can't be one. */
function batchOf({ edits, reason }: Edits): ReturnType<BatchBuilder['finish']> {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  edits.forEach((each, index) => {
    try {
      append(each, { builder, row, reason });
    } catch (error) {
      if (error instanceof InvalidReadingError) {
        const at = `body.edits.${index}`;
        throw new Problem('unprocessable-content', `${at}: ${error.message}`, {
          errors: [{ at, problem: error.message }],
          cause: error,
        });
      }
      throw error;
    }
  });
  return builder.finish({ tenant: 'edits', layer: 'raw', sourceId: 'edits', acceptedAtMs: 0, activation: 0 });
}

function append(
  { meter, channel, start, end, value, unit, version }: Edits['edits'][number],
  { builder, row, reason }: { readonly builder: BatchBuilder; readonly row: ReadingRow; readonly reason: string },
): void {
  const { integer, decimals } = value === null ? { integer: 0, decimals: 0 } : parseDecimal(String(value));
  if (!builder.takes(integer, decimals)) {
    throw new InvalidReadingError(
      'invalid-value',
      'it is too large beside the decimals of the others: send it by itself',
    );
  }
  row.series = builder.series(meterName(meter), channelName(channel));
  row.startMs = Date.parse(start);
  row.lengthMs = lengthMsOf(start, end);
  row.integer = integer;
  row.decimals = decimals;
  row.quality = value === null ? missingCode : qualityCode('substituted');
  row.unit = builder.text(unit);
  row.method = builder.text(editMethod);
  row.reason = builder.text(reason);
  row.version = builder.version(rawVersion(version, 0));
  row.line += 1;
  builder.append(row);
}

function lengthMsOf(start: string, end: string): number {
  return Date.parse(end) - Date.parse(start);
}

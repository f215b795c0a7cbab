import { createHash } from 'node:crypto';
import { Problem } from '@meterflow/http';
import { InvalidReadingError, tenantName } from '@meterflow/readings';
import { PermanentError, type LeasedMessage } from '@meterflow/stage';
import { z } from 'zod';
import type { Packing } from './content.ts';
import { labelCharsMax } from './limits.ts';
import type { SourceFormat } from './open-reader.ts';
import { pushedFormat, pushedPacking, requestHash } from './push-request.ts';

/** What a message of the providers' topic says of itself: the same as the headers and the query of a push. */
export interface MessagePush {
  readonly tenant: string;
  readonly format: SourceFormat;
  readonly packing: Packing;
  /** The name of one; chosen by the header of a CSV where absent. */
  readonly mapping: string | undefined;
  readonly sourceVersion: number;
  readonly label: string;
  readonly payload: Uint8Array;
  /** SHA-256 of the payload, and when it was published: a redelivery is the same, a second publishing is not. */
  readonly identity: string;
  readonly contentHash: string;
}

const mappingCharsMax = 63;

const attributesSchema = z.object({
  tenant: z.string().min(1),
  mapping: z.string().min(1).max(mappingCharsMax).optional(),
  sourceVersion: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  label: z.string().max(labelCharsMax).default(''),
});

/** Throws PermanentError `unreadable-attributes`: whoever publishes has to mend it. */
export function readMessagePush({ payload, attributes, publishedAtMs }: LeasedMessage): MessagePush {
  const parsed = attributesSchema.safeParse(attributes);
  if (!parsed.success) {
    throw unreadable(z.prettifyError(parsed.error));
  }
  const { mapping, sourceVersion, label } = parsed.data;
  const tenant = told(() => tenantName(parsed.data.tenant));
  const format = told(() => pushedFormat(attributes['content-type']));
  const hash = createHash('sha256').update(payload).digest('hex');
  return {
    ...{ tenant, format, mapping, sourceVersion, label, payload },
    packing: told(() => pushedPacking(attributes['content-encoding'])),
    identity: `${hash} ${publishedAtMs}`,
    contentHash: requestHash({ contentHash: hash, format, mapping, sourceVersion }),
  };
}

function told<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof Problem || error instanceof InvalidReadingError ? unreadable(error.message) : error;
  }
}

function unreadable(reason: string): PermanentError {
  return new PermanentError('unreadable-attributes', `attributes of a message with readings: ${reason}`);
}

import { createHash } from 'node:crypto';
import { mediaType, Problem } from '@meterflow/http';
import type { Packing } from './content.ts';
import { idempotencyKeyCharsMax } from './limits.ts';
import type { SourceFormat } from './open-reader.ts';

/** What a body may be, by its content type. */
const formatByType: Readonly<Record<string, SourceFormat>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
  'application/x-protobuf': 'columns',
  'application/protobuf': 'columns',
};
export const pushedTypes = Object.keys(formatByType);

const packingByEncoding: Readonly<Record<string, Packing>> = {
  '': 'plain',
  identity: 'plain',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  zstd: 'zstd',
};

const messageType = 'meterflow.v1.ReadingBatch';

/** What a content type says that a body is. Throws Problem `unsupported-media-type`. */
export function pushedFormat(contentType: string | undefined): SourceFormat {
  const type = mediaType(contentType);
  const format = formatByType[type];
  if (format === undefined) {
    throw new Problem('unsupported-media-type', `"${type}" is none of ${pushedTypes.join(', ')}`);
  }
  const said = parameter(contentType, 'messagetype');
  if (format === 'columns' && said !== undefined && said !== messageType) {
    throw new Problem('unsupported-media-type', `the message type "${said}" is not ${messageType}`);
  }
  const charset = parameter(contentType, 'charset');
  if (format !== 'columns' && charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset.toLowerCase())) {
    throw new Problem('unsupported-media-type', `the charset "${charset}" is not utf-8`);
  }
  return format;
}

/** How a Content-Encoding says that a body is packed. Throws Problem `unsupported-media-type`. */
export function pushedPacking(contentEncoding: string | undefined): Packing {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  const packing = Object.hasOwn(packingByEncoding, encoding) ? packingByEncoding[encoding] : undefined;
  if (packing === undefined) {
    throw new Problem('unsupported-media-type', `the content encoding "${encoding}" is none of gzip, zstd, identity`);
  }
  return packing;
}

/** The Idempotency-Key, without the quotes that a structured header puts around it. Throws Problem `invalid-request`. */
export function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) {
    return undefined;
  }
  const key = /^"(.*)"$/.exec(header.trim())?.[1] ?? header.trim();
  if (key === '' || key.length > idempotencyKeyCharsMax || !/^[\x21-\x7e]+$/.test(key)) {
    const detail = `the Idempotency-Key is not 1 to ${idempotencyKeyCharsMax} visible characters`;
    throw new Problem('invalid-request', detail, { errors: [{ at: 'header.idempotency-key', problem: detail }] });
  }
  return key;
}

/** Names all that makes it the same request: under one Idempotency-Key, anything else is other content. */
export function requestHash(request: {
  readonly contentHash: string;
  readonly format: SourceFormat;
  readonly mapping: string | undefined;
  readonly sourceVersion: number;
}): string {
  const { contentHash, format, mapping = '', sourceVersion } = request;
  return createHash('sha256')
    .update(JSON.stringify([contentHash, format, mapping, sourceVersion]))
    .digest('hex');
}

/** A parameter of a content type; names in lower case. */
function parameter(contentType: string | undefined, name: string): string | undefined {
  for (const part of (contentType ?? '').split(';').slice(1)) {
    const [key, value] = part.split('=');
    if (key?.trim().toLowerCase() === name && value !== undefined) {
      return value.trim().replace(/^"(.*)"$/, '$1');
    }
  }
  return undefined;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Pipeline } from '../pipeline.ts';
import type { OedCase, OedUpload } from './case-file.ts';
import { csvRows } from './csv-rows.ts';
import { isTrue, OedMeters, RefusedUploadError, type OedMeter } from './oed-meters.ts';
import { expectedRows, firstDifference, type StoredRow } from './stored-rows.ts';
import { channel, mappingOf } from './upload-mapping.ts';

export interface TriedCase {
  readonly folder: string;
  readonly name: string;
  readonly tried: OedCase;
  readonly pipeline: Pipeline;
}

interface Ground extends TriedCase {
  readonly tenant: string;
  readonly meters: OedMeters;
}

const tenantCharsMax = 63;
/** OED's answers: all is well; something, or all of it, was not taken. */
const wellCode = 200;
const notWellCode = 400;
/** Later uploads that replace what is stored, and those that leave it, stand on either side of this version. */
const versionOrigin = 1_000_000;

/** Does a case's uploads one after the other; the first difference in an answer, or in what is stored in the end. */
export async function runCase(tried: TriedCase): Promise<string | undefined> {
  const { name, pipeline, folder } = tried;
  const tenant = `oed-${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`.slice(0, tenantCharsMax);
  await pipeline.createTenant(tenant);
  const ground: Ground = { ...tried, tenant, meters: new OedMeters() };
  if (tried.tried.createMeter) {
    ground.meters.create(name);
  }
  const read = new Set<string>();
  for (const [index, upload] of tried.tried.uploads.entries()) {
    const code = await answerTo(upload, index, ground, read);
    if (upload.responseCode !== undefined && code !== upload.responseCode) {
      return `upload ${index + 1} (${upload.file}): expected the answer ${upload.responseCode}, got ${code}`;
    }
  }
  if (tried.tried.expected === null) {
    return undefined;
  }
  const stored = (await Promise.all([...read].map((meter) => storedRows(ground, meter)))).flat();
  return firstDifference(stored, expectedRows(await readFile(join(folder, tried.tried.expected), 'utf8')));
}

async function answerTo(upload: OedUpload, index: number, ground: Ground, read: Set<string>): Promise<number> {
  try {
    const bytes = await readFile(join(ground.folder, upload.file));
    const content = isTrue(upload.options['gzip'] ?? 'true') ? unpacked(bytes) : bytes;
    if (upload.kind === 'meters') {
      takeMeters(upload, content.toString('utf8'), ground.meters);
      return wellCode;
    }
    const meter = meterOf(upload, ground.meters);
    read.add(meterKey(meter));
    return (await takeReadings({ upload, index, content, meter }, ground)) ? wellCode : notWellCode;
  } catch (error) {
    if (error instanceof RefusedUploadError) {
      return notWellCode;
    }
    throw error;
  }
}

function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new RefusedUploadError('it is not packed', { cause: error });
  }
}

function takeMeters({ options }: OedUpload, text: string, meters: OedMeters): void {
  const rows = csvRows(text, { header: isTrue(options['headerRow'] ?? 'false') });
  if (isTrue(options['update'] ?? 'false')) {
    meters.update(rows, options['meterIdentifier']);
  } else {
    meters.insert(rows);
  }
}

function meterOf({ options }: OedUpload, meters: OedMeters): OedMeter {
  const { meterIdentifier, meterName } = options;
  return meterIdentifier === undefined ? meters.byName(meterName ?? '') : meters.byIdentifier(meterIdentifier);
}

/** A meter keeps its readings when it is renamed. */
function meterKey({ key }: OedMeter): string {
  return key;
}

interface ReadingsUpload {
  readonly upload: OedUpload;
  readonly index: number;
  readonly content: Buffer;
  readonly meter: OedMeter;
}

/** Brings the readings as a provider would, waits until all are stored; true where every line was taken. */
async function takeReadings({ upload, index, content, meter }: ReadingsUpload, ground: Ground): Promise<boolean> {
  const { pipeline, tenant } = ground;
  const mapping = mappingOf(upload.options, meter, { name: `upload-${index + 1}`, meterKey: meterKey(meter) });
  const put = { method: 'PUT', path: `/v1/mappings/${mapping.name}`, tenant, role: 'provider' } as const;
  await pipeline.must({ service: 'ingest', ...put, body: mapping });
  const replaces = isTrue(upload.options['update'] ?? 'false');
  const sourceVersion = versionOrigin + (replaces ? 1 : -1) * (index + 1);
  const answer = await pipeline.ask({
    service: 'ingest',
    method: 'POST',
    path: `/v1/readings?mapping=${mapping.name}&sourceVersion=${sourceVersion}`,
    tenant,
    role: 'provider',
    body: content,
    contentType: 'text/csv',
    headers: { 'idempotency-key': `upload-${index + 1}` },
  });
  if (answer.status === 422) {
    return false;
  }
  if (answer.status !== 200) {
    throw new Error(`${upload.file}: ${answer.status} ${answer.text}`);
  }
  const { sourceId } = JSON.parse(answer.text) as { readonly sourceId: string };
  const receipt = await pipeline.completed(tenant, sourceId);
  return receipt.rejected === 0;
}

interface StoredReading {
  readonly start: string;
  readonly end: string;
  readonly value: number | null;
}

/** As they were stored, page by page. */
async function storedRows({ pipeline, tenant }: Ground, meter: string): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  const series = `meter=${encodeURIComponent(meter)}&channel=${channel}&from=1980-01-01&to=2030-01-01&raw=true`;
  for (let next: string | undefined = ''; next !== undefined;) {
    const path = `/v1/readings?${series}${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`;
    const page = (await pipeline.must({ service: 'control', method: 'GET', path, tenant, role: 'operator' })) as {
      readonly readings: readonly StoredReading[];
      readonly next?: string;
    };
    rows.push(
      ...page.readings.map(({ value, start, end }) => ({ value: String(value), start: clock(start), end: clock(end) })),
    );
    next = page.next;
  }
  return rows;
}

/** 2021-06-01 00:00:00, as OED writes it; milliseconds where there are any. */
function clock(text: string): string {
  return text.replace('T', ' ').replace(/(?:\.0+)?Z$/, '');
}

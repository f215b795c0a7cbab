import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Pipeline } from '../pipeline.ts';
import type { OedCase, OedUpload } from './case-file.ts';
import { csvRows } from './csv-rows.ts';
import { OedMeters, type OedMeter } from './oed-meters.ts';
import { RefusedUploadError } from './refused-upload-error.ts';
import { expectedRows, firstDifference, plainValue, type StoredRow } from './stored-rows.ts';
import { channel, mappingOf } from './upload-mapping.ts';
import { isTrue, uploadOptions, type UploadOptions } from './upload-options.ts';

export interface TriedCase {
  readonly folder: string;
  readonly name: string;
  readonly tried: OedCase;
  readonly pipeline: Pipeline;
}

interface Ground extends TriedCase {
  readonly tenant: string;
  readonly meters: OedMeters;
  /** The meters that readings were brought of. */
  readonly brought: Set<string>;
}

interface NumberedUpload extends OedUpload {
  /** From 1. */
  readonly number: number;
}

const tenantCharsMax = 63;
/** OED's answers: all is well; something, or all of it, was not taken. */
const wellCode = 200;
const notWellCode = 400;
/** Later uploads that replace what is stored, and those that leave it, stand on either side of this version. */
const versionOrigin = 1_000_000;

/** Does a case's uploads one after the other; the first difference in an answer, or in what is stored in the end. */
export async function runCase(run: TriedCase): Promise<string | undefined> {
  const { name, pipeline, folder, tried } = run;
  const tenant = `oed-${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`.slice(0, tenantCharsMax);
  await pipeline.createTenant(tenant);
  const ground: Ground = { ...run, tenant, meters: new OedMeters(), brought: new Set() };
  if (tried.createMeter) {
    ground.meters.create(name);
  }
  for (const [index, upload] of tried.uploads.entries()) {
    const code = await answerTo({ ...upload, number: index + 1 }, ground);
    if (upload.responseCode !== undefined && code !== upload.responseCode) {
      return `upload ${index + 1} (${upload.file}): expected the answer ${upload.responseCode}, got ${code}`;
    }
  }
  if (tried.expected === null) {
    return undefined;
  }
  const stored = (await Promise.all([...ground.brought].map((meter) => storedRows(ground, meter)))).flat();
  return firstDifference(stored, expectedRows(await readFile(join(folder, tried.expected), 'utf8')));
}

async function answerTo(upload: NumberedUpload, ground: Ground): Promise<number> {
  try {
    const options = uploadOptions(upload.kind, upload.options);
    const bytes = await readFile(join(ground.folder, upload.file));
    const content = isTrue(options.gzip ?? 'true') ? unpacked(bytes) : bytes;
    if (upload.kind === 'meters') {
      takeMeters(options, content.toString('utf8'), ground.meters);
      return wellCode;
    }
    return (await takesReadings(upload, { options, content }, ground)) ? wellCode : notWellCode;
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

function takeMeters(options: UploadOptions, text: string, meters: OedMeters): void {
  const rows = csvRows(text, { header: isTrue(options.headerRow) });
  if (isTrue(options.update)) {
    meters.update(rows, options.meterIdentifier);
  } else {
    meters.insert(rows);
  }
}

/** Brings the readings as a provider would, and waits until all are stored; true where every line was taken. */
async function takesReadings(
  { number, file }: NumberedUpload,
  { options, content }: { readonly options: UploadOptions; readonly content: Buffer },
  { pipeline, tenant, meters, brought }: Ground,
): Promise<boolean> {
  const { meterIdentifier, meterName = '' } = options;
  const meter: OedMeter =
    meterIdentifier === undefined ? meters.find('name', meterName) : meters.find('identifier', meterIdentifier);
  brought.add(meter.key);
  const mapping = `upload-${number}`;
  const toIngest = { service: 'ingest', tenant, role: 'provider' } as const;
  const body = mappingOf(options, meter, mapping);
  await pipeline.must({ ...toIngest, method: 'PUT', path: `/v1/mappings/${mapping}`, body });
  const sourceVersion = versionOrigin + (isTrue(options.update) ? number : -number);
  const answer = await pipeline.ask({
    ...toIngest,
    method: 'POST',
    path: `/v1/readings?mapping=${mapping}&sourceVersion=${sourceVersion}`,
    body: content,
    contentType: 'text/csv',
    headers: { 'idempotency-key': mapping },
  });
  if (answer.status === 422) {
    return false;
  }
  if (answer.status !== 200) {
    throw new Error(`${file}: ${answer.status} ${answer.text}`);
  }
  const { sourceId } = JSON.parse(answer.text) as { readonly sourceId: string };
  return (await pipeline.completed(tenant, sourceId)).rejected === 0;
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
      ...page.readings.map(({ value, start, end }) => ({
        value: plainValue(String(value)),
        start: clock(start),
        end: clock(end),
      })),
    );
    next = page.next;
  }
  return rows;
}

/** 2021-06-01 00:00:00, as OED writes it; milliseconds where there are any. */
function clock(text: string): string {
  return text.replace('T', ' ').replace(/(?:\.0+)?Z$/, '');
}

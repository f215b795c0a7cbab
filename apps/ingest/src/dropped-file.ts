import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Receipt } from '@meterflow/receipts';
import { quotaDefaults, type Tenants } from '@meterflow/registry';
import type { Telemetry } from '@meterflow/stage';
import { Problem, type RequestQuota } from '@meterflow/http';
import { checkDailyQuota } from './daily-quota.ts';
import { FileChangedError, importFile } from './import-file.ts';
import { isSameFile } from './same-file.ts';
import type { Mappings } from './mappings.ts';
import type { TakeInPorts } from './source-request.ts';

export interface DroppedFile {
  readonly tenant: string;
  readonly folder: string;
  readonly name: string;
  readonly stats: Stats;
}

export interface DropDoor {
  readonly takeIn: TakeInPorts;
  readonly mappings: Mappings;
  readonly tenants: Pick<Tenants, 'get'>;
  /** A file counts as a request does. */
  readonly requests: RequestQuota;
  readonly telemetry: Telemetry;
}

/** Where a file goes that was taken, and one that as a whole, or from some place on, can't be read. */
type Shelf = 'done' | 'rejected';

/**
 * Takes one dropped file: 1. its readings, durably, under a delivery that is found again after a crash; 2. its receipt
 * beside where it will be; 3. the file itself is moved. Killed in between, the next look does again what is missing.
 * Returns false where it was written to meanwhile: it stays, and is taken anew once it is steady.
 */
export async function takeDropped(file: DroppedFile & { readonly delivery: string }, door: DropDoor): Promise<boolean> {
  const { tenant, folder, name, stats, delivery } = file;
  const { sources, clock } = door.takeIn;
  const quotas = (await door.tenants.get(tenant))?.quotas ?? quotaDefaults;
  await checkDailyQuota({ tenant, ...quotas }, { sources, nowMs: () => clock.nowMs() });
  takeRequest(door.requests, tenant, quotas.requestsPerMinute);
  const path = join(folder, name);
  const mappings = await door.mappings.choices(tenant);
  const taken = await importFile(
    { tenant, path, label: name, delivery, mappings, sourceVersion: 0, bytesMax: quotas.bytesPerRequest },
    door.takeIn,
  ).catch(unlessChanged);
  if (taken === undefined || !isSameFile(stats, await lstat(path))) {
    door.telemetry.logger.warn('a dropped file was written to while it was read; it is read again', { tenant, name });
    return false;
  }
  const receipt = await sources.receipt(tenant, taken.sourceId);
  await shelve({ folder, name, receipt }, taken.refusal === undefined ? 'done' : 'rejected');
  const { accepted, rejected } = taken.counts;
  door.telemetry.logger.info('took a dropped file', { tenant, name, sourceId: taken.sourceId, accepted, rejected });
  return true;
}

/** Throws Problem `too-many-requests`. */
function takeRequest(requests: RequestQuota, tenant: string, requestsPerMinute: number): void {
  const waitMs = requests.take(tenant, requestsPerMinute);
  if (waitMs > 0) {
    const detail = `the tenant may drop ${requestsPerMinute} files a minute`;
    throw new Problem('too-many-requests', detail, { retryAfterSeconds: waitMs / 1_000 });
  }
}

function unlessChanged(error: unknown): undefined {
  if (!(error instanceof FileChangedError)) {
    throw error;
  }
}

interface TakenFile {
  readonly folder: string;
  readonly name: string;
  readonly receipt: Receipt | undefined;
}

async function shelve({ folder, name, receipt }: TakenFile, shelf: Shelf): Promise<void> {
  const target = join(folder, shelf);
  await mkdir(target, { recursive: true, mode: 0o700 });
  if (!(await lstat(target)).isDirectory()) {
    throw new Error(`${target} is no directory; files that were taken have no place`);
  }
  const free = await freeName(target, name);
  const text = `${JSON.stringify({ ...receipt, links: { receipt: `/v1/sources/${receipt?.sourceId ?? ''}` } }, null, 2)}\n`;
  const beside = join(target, `${free}.receipt.json`);
  await writeFile(`${beside}.part`, text, { mode: 0o600, flag: receiptFlags });
  await rename(`${beside}.part`, beside);
  await rename(join(folder, name), join(target, free));
}

/** Follows no link: whoever drops files may have put one where the receipt is to be written. */
const receiptFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

const sameNameMax = 10_000;

/** The name, or where a file of it was taken before, the name with a number. The receipt does not count: it comes first. */
async function freeName(folder: string, name: string): Promise<string> {
  for (let number = 1; number <= sameNameMax; number++) {
    const candidate = number === 1 ? name : `${name}~${number}`;
    if ((await lstat(join(folder, candidate)).catch(absent)) === undefined) {
      return candidate;
    }
  }
  throw new Error(`${folder} has ${sameNameMax} files of the name ${name}`);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') {
    throw error;
  }
}

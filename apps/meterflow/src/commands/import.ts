import { randomUUID } from 'node:crypto';
import type { Receipt } from '@meterflow/receipts';
import { CommandError, type GlobalOptions, type Output } from '../cli-context.ts';
import { allServices, withServer, type ServerClients } from '../client/with-server.ts';
import { isUnanswered, RefusedError } from '../client/local-client.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';
import { receiptText } from '../terminal/receipt-text.ts';
import { importableFiles } from './importable-files.ts';

export interface ImportOptions {
  readonly files: readonly string[];
  readonly tenant: string;
  readonly mapping?: string;
  readonly sourceVersion?: number;
}

export interface ImportRequest extends Omit<ImportOptions, 'files'> {
  readonly file: string;
}

interface ImportLine {
  readonly bytes?: number;
  readonly bytesTotal?: number;
  readonly received?: number;
  readonly sourceId?: string;
  readonly closed?: boolean;
  readonly error?: string;
  readonly code?: string;
}

const pollMs = 25;
/** Where a receipt takes the server long, it is asked for the less often. */
const pollingShareMax = 1 / 10;
/** An import is sent again when the service that took it was restarted: it resumes where it was. */
const retryMs = 250;
/** So long without an answer, and there is no server any more. */
const silenceMsMax = 60_000;

/** Imports files through all stages, to the end; prints each one's receipt. */
export async function importFiles(
  { files, ...options }: ImportOptions,
  globals: GlobalOptions,
  output: Output,
): Promise<void> {
  const paths = await importableFiles(files);
  const receipts = await withServer(globals, allServices, async (clients) => {
    await checkTenant(clients, options.tenant);
    const done: Receipt[] = [];
    for (const file of paths) {
      const receipt = await importFile(clients, { ...options, file }, output);
      done.push(receipt);
      if (!globals.json) {
        output.line(receiptText(receipt));
      }
    }
    return done;
  });
  if (globals.json) {
    output.line(JSON.stringify(receipts.length === 1 ? receipts[0] : receipts));
  }
  checkStored(receipts);
}

/** A tenant that is not there is a mistyped one, and its readings would be found by nobody. */
async function checkTenant({ control }: ServerClients, tenant: string): Promise<void> {
  const path = `/v1/tenants/${encodeURIComponent(tenant)}`;
  await control.text({ path, tenant, role: 'operator' }).catch((error: unknown) => {
    if (error instanceof RefusedError && error.status === 404) {
      const how = `make it with \`meterflow tenants create ${tenant}\``;
      throw new CommandError('not-found', `there is no tenant ${tenant}; ${how}`, { cause: error });
    }
    throw error;
  });
}

/** Lines that are bad are in the receipt; this is about whole files, and about batches that did not get through. */
function checkStored(receipts: readonly Receipt[]): void {
  const refused = receipts.filter(({ rejects, accepted }) => accepted === 0 && rejects.length > 0);
  const unstored = receipts.filter(({ batchesDead, batchesParked }) => batchesDead + batchesParked > 0);
  if (unstored.length > 0) {
    const how = 'see `meterflow dead-letters list`, and retry them once the cause is gone';
    throw new CommandError('not-stored', `not everything of ${labels(unstored)} is stored: ${how}`);
  }
  if (refused.length > 0) {
    const why = refused[0]?.rejects[0];
    const first = why === undefined ? '' : `: ${why.line === 0 ? '' : `line ${why.line}: `}${why.reason}`;
    throw new CommandError('not-stored', `nothing of ${labels(refused)} was taken${first}`);
  }
}

function labels(receipts: readonly Receipt[]): string {
  return receipts.map(({ label }) => label).join(', ');
}

/** Imports one file; resolves with its receipt when every reading is stored and aggregated. */
export async function importFile(clients: ServerClients, request: ImportRequest, output: Output): Promise<Receipt> {
  const bar = new ProgressBar(output.terminal);
  try {
    const sourceId = await taken(clients, request, bar);
    return await completed(clients, { tenant: request.tenant, sourceId }, bar);
  } finally {
    bar.clear();
  }
}

/** Resolves when the whole file is on the bus. */
async function taken(clients: ServerClients, request: ImportRequest, bar: ProgressBar): Promise<string> {
  const { tenant, file, mapping, sourceVersion } = request;
  const body = {
    path: file,
    // Named, so that it is found when it is sent again, also when only the answer to it was lost.
    delivery: randomUUID(),
    ...(mapping === undefined ? {} : { mapping }),
    ...(sourceVersion === undefined ? {} : { sourceVersion }),
  };
  const patience = new Patience();
  for (;;) {
    try {
      for await (const each of clients.ingest.lines({
        method: 'POST',
        path: '/v1/imports',
        tenant,
        role: 'operator',
        body,
      })) {
        const line = each as ImportLine;
        patience.answered();
        if (line.code === 'interrupted') {
          break;
        }
        if (line.error !== undefined) {
          throw new CommandError('import-failed', `${file}: ${line.error}`);
        }
        if (line.closed === true) {
          return line.sourceId as string;
        }
        bar.update({ done: line.bytes ?? 0, total: line.bytesTotal ?? 0, count: line.received ?? 0, noun: 'readings' });
      }
    } catch (error) {
      patience.bear(error);
    }
    await new Promise((wake) => setTimeout(wake, retryMs));
  }
}

/** Resolves when every reading of it is stored and aggregated. */
export async function completed(
  clients: ServerClients,
  source: { tenant: string; sourceId: string },
  bar: ProgressBar,
): Promise<Receipt> {
  const path = `/v1/sources/${encodeURIComponent(source.sourceId)}`;
  const patience = new Patience();
  for (;;) {
    const askedAtMs = performance.now();
    try {
      const receipt = (await clients.control.json({ path, tenant: source.tenant, role: 'operator' })) as Receipt;
      patience.answered();
      if (receipt.state === 'complete') {
        return receipt;
      }
      const stored = receipt.inserted + receipt.superseded + receipt.shadowed + receipt.duplicates + receipt.conflicts;
      bar.update({ done: stored, total: receipt.accepted, count: stored, noun: 'stored' });
    } catch (error) {
      patience.bear(error);
    }
    const tookMs = performance.now() - askedAtMs;
    await new Promise((wake) => setTimeout(wake, Math.max(pollMs, tookMs / pollingShareMax)));
  }
}

/** Waits for a service that ended or is not up yet: its supervisor starts it again. */
class Patience {
  #answeredAtMs = performance.now();

  answered(): void {
    this.#answeredAtMs = performance.now();
  }

  /** Throws the error when it is no restart, or lasts too long for one. */
  bear(error: unknown): void {
    if (!isRestart(error)) {
      throw error;
    }
    if (performance.now() - this.#answeredAtMs > silenceMsMax) {
      const why = error instanceof RefusedError ? `the server can't go on (${error.message})` : 'the server is gone';
      const how = 'run the same command again, it goes on where this one stopped';
      throw new CommandError('server-gone', `${why}; ${how}`, { cause: error });
    }
  }
}

function isRestart(error: unknown): boolean {
  return error instanceof RefusedError ? busyCodes.has(error.code) : isUnanswered(error);
}

/** What a server answers that can't just now. */
const busyCodes = new Set(['overloaded', 'unavailable', 'too-many-requests']);

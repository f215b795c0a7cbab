import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { dataDirectory, exportCanonical, openEmbeddedPlatform } from '@meterflow/embedded';
import { silentTelemetry } from '@meterflow/stage';
import type { Receipt } from '@meterflow/receipts';

/** What a data directory at rest has come to. */
export interface EndState {
  /** The canonical export's file. */
  readonly file: string;
  readonly sha256: string;
  readonly lines: number;
  readonly receipts: readonly Receipt[];
  readonly deadLetters: number;
}

/** Reads the end state of a directory that no server runs on; writes its canonical export to `file`. */
export async function endStateOf(dataDir: string, file: string): Promise<EndState> {
  const exported = await writtenTo(file, (write) => exportCanonical({ directory: dataDir, write }));
  return { ...exported, receipts: await receiptsOf(dataDir) };
}

/** Writes a canonical export, which comes in whole lines, to `file`. */
export async function writtenTo(
  file: string,
  exported: (write: (text: string) => Promise<void>) => Promise<unknown>,
): Promise<Omit<EndState, 'receipts'>> {
  const hash = createHash('sha256');
  const out = await open(file, 'w');
  let lines = 0;
  let deadLetters = 0;
  try {
    await exported(async (text) => {
      hash.update(text);
      lines += text.split('\n').length - 1;
      deadLetters += text.split('"kind":"dead-letter"').length - 1;
      await out.write(text);
    });
  } finally {
    await out.close();
  }
  return { file, sha256: hash.digest('hex'), lines, deadLetters };
}

export const receiptsMax = 100_000;

async function receiptsOf(dataDir: string): Promise<readonly Receipt[]> {
  const platform = openEmbeddedPlatform({ root: dataDir, owner: 'crash', telemetry: silentTelemetry });
  try {
    return await platform.sources.list('default', { limit: receiptsMax });
  } finally {
    await platform.close();
  }
}

/**
 * What is wrong with the end state beside that of the run that nobody disturbed; empty when nothing is. How outcomes split
 * is exact on embedded stores alone.
 */
export async function differences(
  killed: EndState,
  unkilled: EndState,
  { exactOutcomes = true }: { readonly exactOutcomes?: boolean } = {},
): Promise<readonly string[]> {
  const found = [...receiptFaults(killed.receipts), ...countFaults(killed.receipts, unkilled.receipts)];
  if (killed.sha256 !== unkilled.sha256) {
    found.push(
      `the canonical exports differ (${killed.lines} and ${unkilled.lines} lines): ${await firstDifference(killed.file, unkilled.file)}`,
    );
  }
  const [inserted, insertedUnkilled] = [insertedOf(killed), insertedOf(unkilled)];
  if (exactOutcomes && inserted !== insertedUnkilled) {
    found.push(`${inserted} readings were inserted, ${insertedUnkilled} without kills`);
  }
  return found;
}

function insertedOf({ receipts }: EndState): number {
  return receipts.reduce((sum, receipt) => sum + receipt.inserted, 0);
}

/** Each receipt is complete, and each accepted reading has exactly one outcome. */
function receiptFaults(receipts: readonly Receipt[]): string[] {
  return receipts.flatMap((receipt) => {
    const { sourceId, label, state, accepted, inserted, superseded, shadowed, duplicates, conflicts } = receipt;
    const outcomes = inserted + superseded + shadowed + duplicates + conflicts;
    const name = `${label} (${sourceId})`;
    if (state !== 'complete') {
      return [`the receipt of ${name} is ${state}`];
    }
    return [
      ...(outcomes === accepted ? [] : [`${name}: ${accepted} readings accepted, but ${outcomes} outcomes`]),
      ...(conflicts === 0 ? [] : [`${name}: ${conflicts} conflicts`]),
    ];
  });
}

/** Every delivery of a file was received, accepted and rejected as that file was where nobody disturbed. */
function countFaults(receipts: readonly Receipt[], undisturbed: readonly Receipt[]): string[] {
  const counts = ({ received, accepted, rejected }: Receipt): string =>
    `${received} received, ${accepted} accepted, ${rejected} rejected`;
  const expected = new Map(undisturbed.map((receipt) => [receipt.label, counts(receipt)]));
  return receipts
    .filter((receipt) => expected.get(receipt.label) !== counts(receipt))
    .map((receipt) => `${receipt.label} (${receipt.sourceId}): ${counts(receipt)}, not ${expected.get(receipt.label)}`);
}

async function firstDifference(file: string, other: string): Promise<string> {
  const otherLines = createInterface({ input: createReadStream(other) })[Symbol.asyncIterator]();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { value } = await otherLines.next();
    if (value !== line) {
      return `${line} instead of ${String(value)}`;
    }
  }
  return 'it ends too early';
}

export interface SubscriptionCounts {
  readonly subscription: string;
  readonly topic: string;
  /** All messages ever on its topic. */
  readonly published: number;
  /** Facts that its stage has handled: keys marked done. */
  readonly handled: number;
  /** Messages that are not acked. */
  readonly unsettled: number;
}

/** What went over the bus of a directory at rest. */
export function busCounts(dataDir: string): readonly SubscriptionCounts[] {
  const files = dataDirectory(dataDir);
  const topology = new DatabaseSync(files.topology);
  const subscriptions = topology.prepare('select name, topic from subscriptions order by name').all();
  topology.close();
  return subscriptions.map((row) => {
    const [subscription, topic] = [String(row['name']), String(row['topic'])];
    const published = publishedOn(dataDir, topic);
    const cursor = one(files.subscription(subscription), 'select cursor as n from position');
    const out = one(files.subscription(subscription), 'select count(*) as n from unsettled');
    const handled = one(files.dedupe(subscription), 'select count(*) as n from done');
    return { subscription, topic, published, handled, unsettled: published - cursor + out };
  });
}

/** How many messages were ever published on a topic. */
export function publishedOn(dataDir: string, topic: string): number {
  return one(dataDirectory(dataDir).topic(topic), 'select coalesce(max(seq), 0) as n from messages');
}

function one(file: string, sql: string): number {
  const database = new DatabaseSync(file);
  try {
    return Number(database.prepare(sql).get()?.['n'] ?? 0);
  } finally {
    database.close();
  }
}

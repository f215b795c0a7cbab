import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import {
  blanked,
  lineTellsOf,
  type ErasedTexts,
  type Receipt,
  type Reject,
  type SourceErasure,
} from '@meterflow/receipts';
import { lineKinds, LineList, type LineKind } from './line-list.ts';
import { unpackedLines } from './packed-lines.ts';

/** Whose texts were erased, so that lines of the same sources that come later are blanked too. `meter` '': all. */
export const sourceErasures = `
  create table if not exists erasures (
    tenant text not null,
    meter text not null,
    up_to_ms real not null,
    primary key (tenant, meter)
  ) without rowid;
`;

/** Within a transaction: blanks labels and rejected lines, in the lists and in the receipts that are kept. */
export async function eraseTexts(
  database: DatabaseSync,
  { tenant, meter = '', upToMs }: SourceErasure,
): Promise<ErasedTexts> {
  database
    .prepare(
      `insert into erasures values (?, ?, ?) on conflict do update set up_to_ms = max(up_to_ms, excluded.up_to_ms)`,
    )
    .run(tenant, meter, upToMs);
  const labels = database
    .prepare(`update acceptances set label = '' where tenant = ? and accepted_at_ms <= ? and ${labelTells}`)
    .run(tenant, upToMs, meter).changes;
  let rejects = 0;
  for (const { kind, delivery, block, lines } of blocksOf(database, { tenant, upToMs })) {
    const tells = (line: Reject): boolean => lineTellsOf(line, meter);
    const telling = lines.filter(tells).length;
    if (telling > 0) {
      const kept = lines.map((line) => (tells(line) ? blanked(line) : line));
      new LineList(database, kind).put({ delivery, block }, kept);
      rejects += telling;
    }
    await turn();
  }
  await renewReceipts(database, { tenant, upToMs });
  return { labels: Number(labels), rejects };
}

/** What is there of it now. */
export function foundTexts(database: DatabaseSync, { tenant, meter = '', upToMs }: SourceErasure): ErasedTexts {
  const row = database
    .prepare(`select count(*) as count from acceptances where tenant = ? and accepted_at_ms <= ? and ${labelTells}`)
    .get(tenant, upToMs, meter);
  let rejects = 0;
  for (const { lines } of blocksOf(database, { tenant, upToMs })) {
    rejects += lines.filter((line) => lineTellsOf(line, meter)).length;
  }
  return { labels: Number(row?.['count']), rejects };
}

/** Rejects of an acceptance as they may be kept: blanked where it was erased meanwhile. */
export function keepable(
  database: DatabaseSync,
  { tenant, acceptedAtMs }: { readonly tenant: string; readonly acceptedAtMs: number },
  rejects: readonly Reject[],
): readonly Reject[] {
  const meters = database
    .prepare('select meter from erasures where tenant = ? and up_to_ms >= ?')
    .all(tenant, acceptedAtMs)
    .map((row) => String(row['meter']));
  return meters.length === 0
    ? rejects
    : rejects.map((reject) => (meters.some((meter) => lineTellsOf(reject, meter)) ? blanked(reject) : reject));
}

const labelTells = `label <> '' and instr(label, ?) > 0`;
const blocksPerPage = 100;
const receiptsPerPage = 100;

interface Block {
  readonly kind: LineKind;
  readonly delivery: number;
  readonly block: number;
  readonly lines: readonly Reject[];
}

type Whose = Pick<SourceErasure, 'tenant' | 'upToMs'>;

function* blocksOf(database: DatabaseSync, { tenant, upToMs }: Whose): Generator<Block> {
  const page = database.prepare(
    `select delivery, kind, block, lines from line_blocks
     where (delivery, kind, block) > (?, ?, ?) and delivery in (
       select deliveries.row from deliveries join acceptances on acceptances.row = deliveries.acceptance
       where deliveries.tenant = ? and accepted_at_ms <= ?)
     order by delivery, kind, block limit ${blocksPerPage}`,
  );
  let rows = page.all(-1, '', -1, tenant, upToMs);
  while (rows.length > 0) {
    let last: Omit<Block, 'lines'> = { delivery: -1, kind: 'reject', block: -1 };
    for (const row of rows) {
      last = { delivery: Number(row['delivery']), kind: row['kind'] as LineKind, block: Number(row['block']) };
      yield { ...last, lines: unpackedLines(row['lines']) };
    }
    rows = page.all(last.delivery, last.kind, last.block, tenant, upToMs);
  }
}

/** Makes the receipts that are kept tell what the lists tell now. */
async function renewReceipts(database: DatabaseSync, { tenant, upToMs }: Whose): Promise<void> {
  const page = database.prepare(
    `select deliveries.row, receipt, label from deliveries join acceptances on acceptances.row = deliveries.acceptance
     where deliveries.row > ? and receipt is not null and deliveries.tenant = ? and accepted_at_ms <= ?
     order by deliveries.row limit ${receiptsPerPage}`,
  );
  const renew = database.prepare('update deliveries set receipt = ? where row = ?');
  const [rejects, remarks] = lineKinds.map((kind) => new LineList(database, kind)) as [LineList, LineList];
  let rows = page.all(-1, tenant, upToMs);
  while (rows.length > 0) {
    let last = -1;
    for (const { row, receipt, label } of rows) {
      last = Number(row);
      const kept = JSON.parse(String(receipt)) as Receipt;
      const renewed = { ...kept, label: String(label), rejects: rejects.first(last), remarks: remarks.first(last) };
      renew.run(JSON.stringify(renewed), last);
    }
    await turn();
    rows = page.all(last, tenant, upToMs);
  }
}

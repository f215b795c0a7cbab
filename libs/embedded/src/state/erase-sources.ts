import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { rejectsShownMax, rejectTextCharsMax, type Reject } from '@meterflow/receipts';
import { lineTables, type LineTable } from './line-list.ts';

/** Whose sources to blank: a tenant's, or what in them names a meter. */
export interface SourceErasure {
  readonly tenant: string;
  readonly meter?: string;
  /** Of sources accepted up to this instant. */
  readonly upToMs: number;
}

/** Whose texts were erased, so that lines of the same sources that come later are blanked too. `meter` '': all. */
export const sourceErasures = `
  create table if not exists erasures (
    tenant text not null,
    meter text not null,
    up_to_ms real not null,
    primary key (tenant, meter)
  ) without rowid;
`;

export interface ErasedTexts {
  /** Names of files. */
  readonly labels: number;
  /** Rejected lines, and remarks on others. Their numbers and codes stay, so that receipts add up. */
  readonly rejects: number;
}

export const erasedReason = 'erased';

/**
 * True when a rejected line may tell of the meter: it names it, or was cut and may have named it further on. A reject
 * keeps a line as it came, so that it holds readings of a household.
 */
export function tellsOf({ text, reason }: Pick<Reject, 'text' | 'reason'>, meter: string): boolean {
  return meter === '' || text.includes(meter) || reason.includes(meter) || text.length >= rejectTextCharsMax - 1;
}

export function blanked(reject: Reject): Reject {
  return { ...reject, text: '', reason: erasedReason };
}

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
  for (const { table, delivery, line, reject } of tellingLines(database, { tenant, meter, upToMs })) {
    database
      .prepare(`update ${table} set ${lineTables[table]} = ? where delivery = ? and line = ?`)
      .run(JSON.stringify(blanked(reject)), delivery, line);
    rejects += 1;
    if (rejects % rejectsPerTurn === 0) {
      await turn();
    }
  }
  database.prepare(renewReceipts).run(tenant, upToMs);
  return { labels: Number(labels), rejects };
}

/** What is there of it now. */
export function foundTexts(database: DatabaseSync, { tenant, meter = '', upToMs }: SourceErasure): ErasedTexts {
  const row = database
    .prepare(`select count(*) as count from acceptances where tenant = ? and accepted_at_ms <= ? and ${labelTells}`)
    .get(tenant, upToMs, meter);
  let rejects = 0;
  for (const { reject } of tellingLines(database, { tenant, meter, upToMs })) {
    rejects += reject.reason === erasedReason ? 0 : 1;
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
    : rejects.map((reject) => (meters.some((meter) => tellsOf(reject, meter)) ? blanked(reject) : reject));
}

const labelTells = `label <> '' and instr(label, ?) > 0`;
const rejectsPerPage = 10_000;
const rejectsPerTurn = 1_000;

interface TellingLine {
  readonly table: LineTable;
  readonly delivery: number;
  readonly line: number;
  readonly reject: Reject;
}

function* tellingLines(database: DatabaseSync, erasure: Required<SourceErasure>): Generator<TellingLine> {
  yield* tellingLinesOf(database, 'rejects', erasure);
  yield* tellingLinesOf(database, 'remarks', erasure);
}

function* tellingLinesOf(
  database: DatabaseSync,
  table: LineTable,
  { tenant, meter, upToMs }: Required<SourceErasure>,
): Generator<TellingLine> {
  const column = lineTables[table];
  const page = database.prepare(
    `select delivery, line, ${column} from ${table}
     where (delivery, line) > (?, ?) and delivery in (
       select deliveries.row from deliveries join acceptances on acceptances.row = deliveries.acceptance
       where deliveries.tenant = ? and accepted_at_ms <= ?)
     order by delivery, line limit ${rejectsPerPage}`,
  );
  let [delivery, line] = [-1, -1];
  for (;;) {
    const rows = page.all(delivery, line, tenant, upToMs);
    for (const row of rows) {
      delivery = Number(row['delivery']);
      line = Number(row['line']);
      const reject = JSON.parse(String(row[column])) as Reject;
      if (reject.reason !== erasedReason && tellsOf(reject, meter)) {
        yield { table, delivery, line, reject };
      }
    }
    if (rows.length < rejectsPerPage) {
      return;
    }
  }
}

const renewReceipts = `
  update deliveries set receipt = json_set(receipt,
    '$.label', (select label from acceptances where acceptances.row = deliveries.acceptance),
    '$.rejects', json(coalesce((select json_group_array(json(reject)) from (
      select reject from rejects where rejects.delivery = deliveries.row order by line limit ${rejectsShownMax}
    )), '[]')),
    '$.remarks', json(coalesce((select json_group_array(json(remark)) from (
      select remark from remarks where remarks.delivery = deliveries.row order by line limit ${rejectsShownMax}
    )), '[]')))
  where receipt is not null and tenant = ? and acceptance in (select row from acceptances where accepted_at_ms <= ?)`;

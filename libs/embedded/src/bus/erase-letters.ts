import type { DatabaseSync } from 'node:sqlite';
import { letterRemainder, type LetterRule } from '@meterflow/contracts';
import type { ErasedLetters, LetterErasure } from '@meterflow/stage';

/** What was erased, so that letters about it that are put later lose it too. '' stands for all. */
export const letterErasures = `
create table if not exists erasures (
  tenant text not null,
  meter text not null,
  channel text not null,
  upToMs real not null,
  ticket integer not null,
  primary key (tenant, meter, channel)
) strict, without rowid;`;

interface Application extends LetterRule {
  readonly ids: readonly string[];
}

interface Letter {
  readonly id: string;
  readonly attributes: string;
  readonly payload: Uint8Array;
}

/** Within a transaction: leaves a tombstone, and drops or reduces the payloads that are there. */
export function eraseLetters(database: DatabaseSync, erasure: LetterErasure): ErasedLetters {
  const { tenant, series, upToMs, ticket } = erasure;
  database
    .prepare(
      `insert into erasures values (?, ?, ?, ?, ?) on conflict do update
       set upToMs = max(upToMs, excluded.upToMs), ticket = max(ticket, excluded.ticket)`,
    )
    .run(tenant, series?.meter ?? '', series?.channel ?? '', upToMs, ticket);
  return applied(database, { ...erasure, ids: idsOf(database, tenant), unsure: 'drop' });
}

/** Within the transaction that put them: what was erased before is dropped from them. */
export function eraseFromPut(database: DatabaseSync, ids: readonly string[], tenants: ReadonlySet<string>): void {
  for (const tenant of tenants) {
    const rows = database.prepare('select meter, channel, upToMs, ticket from erasures where tenant = ?').all(tenant);
    for (const { meter, channel, upToMs, ticket } of rows) {
      const erasure = erasureOf({ tenant, meter: String(meter), channel: String(channel) });
      applied(database, { ...erasure, upToMs: Number(upToMs), ticket: Number(ticket), ids, unsure: 'keep' });
    }
  }
}

/** What is there of it now. */
export function foundLetters(database: DatabaseSync, erasure: LetterErasure): number {
  const find = database.prepare(findLetter);
  return idsOf(database, erasure.tenant).filter((id) => {
    const letter = find.get(id, erasure.tenant) as unknown as Letter;
    return remainder(letter, { ...erasure, unsure: 'drop' }) !== letter.payload;
  }).length;
}

function erasureOf(named: {
  tenant: string;
  meter: string;
  channel: string;
}): Pick<LetterErasure, 'tenant' | 'series'> {
  const { tenant, meter, channel } = named;
  return meter === '' ? { tenant } : { tenant, series: { meter, ...(channel === '' ? {} : { channel }) } };
}

/** One payload in memory at a time. */
const findLetter = "select id, attributes, payload from letters where id = ? and tenant = ? and state <> 'purged'";

function idsOf(database: DatabaseSync, tenant: string): readonly string[] {
  return database
    .prepare("select id from letters where tenant = ? and state <> 'purged' order by id")
    .all(tenant)
    .map(({ id }) => String(id));
}

function applied(database: DatabaseSync, application: Application): ErasedLetters {
  const find = database.prepare(findLetter);
  const purge = database.prepare(purgeLetter);
  const reduce = database.prepare("update letters set payload = ?, reason = '' where id = ?");
  const erased = { purged: 0, reduced: 0 };
  for (const id of application.ids) {
    const letter = find.get(id, application.tenant) as unknown as Letter | undefined;
    const left = letter === undefined ? undefined : remainder(letter, application);
    if (letter === undefined || left === letter.payload) {
      continue;
    }
    if (left === undefined) {
      purge.run(id);
      erased.purged += 1;
    } else {
      reduce.run(left, id);
      erased.reduced += 1;
    }
  }
  return erased;
}

/** A purged letter stays as a row, so that the receipts that wait for it come to an end. */
export const purgeLetter = `update letters set state = 'purged', payload = x'', attributes = '{}', reason = ''
  where id = ? and state <> 'purged'`;

function remainder({ attributes, payload }: Letter, rule: LetterRule): Uint8Array | undefined {
  return letterRemainder({ attributes: JSON.parse(attributes) as Record<string, string>, payload }, rule);
}

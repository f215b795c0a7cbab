import type { Jobs, Parameter } from './jobs.ts';
import { deleteErased, tombstone } from './sql/statements.ts';

/** What to erase: a tenant, a meter of it, or one series. */
export interface WarehouseErasure {
  readonly tenant: string;
  readonly meter?: string;
  readonly channel?: string;
  /** Readings accepted up to this instant are erased. */
  readonly acceptedToMs: number;
  /** Aggregates with a ticket up to this one are erased. */
  readonly ticketTo: number;
  readonly erasedAtMs: number;
}

/**
 * Writes the tombstone first, so that from then on nothing that it covers is shown, then deletes the rows; resolves to
 * how many those were. To be run again after a failure, and after a replay that may have brought rows back.
 */
export async function erase(jobs: Jobs, named: (name: string) => string, erasure: WarehouseErasure): Promise<number> {
  const { tenant, meter = '', channel = '', acceptedToMs, ticketTo, erasedAtMs } = erasure;
  const text = (value: string): Parameter => ({ type: 'STRING', value });
  const instant = (valueMs: number): Parameter => ({ type: 'TIMESTAMP', value: new Date(valueMs).toISOString() });
  const covered = {
    tenant: text(tenant),
    meter: text(meter),
    channel: text(channel),
    accepted_to: instant(acceptedToMs),
    ticket_to: { type: 'INT64', value: String(ticketTo) },
  } as const;
  await jobs.execute(tombstone(named), { ...covered, erased_at: instant(erasedAtMs) });
  let rows = 0;
  for (const statement of deleteErased(named)) {
    rows += await jobs.execute(statement, used(statement, covered));
  }
  return rows;
}

/** BigQuery takes no parameter that its statement does not name. */
function used(statement: string, parameters: Readonly<Record<string, Parameter>>): Record<string, Parameter> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => statement.includes(`@${name}`)));
}

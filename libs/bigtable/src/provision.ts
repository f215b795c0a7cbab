import type { v2 } from '@google-cloud/bigtable';
import type { Connection } from './client/connection.ts';
import { grpcStatus } from '@meterflow/stage';
import { namedError } from './client/errors.ts';
import type { FamilyDeclaration, GarbageCollection, TableDeclaration } from './schema.ts';

/** One thing that is not as declared. */
export interface Drift {
  readonly table: string;
  readonly family?: string;
  readonly what: 'missing-table' | 'missing-family' | 'other-retention';
}

const secondsPerDay = 86_400;

/**
 * Holds an instance against the declarations and, unless it is only to check, makes what is missing and corrects
 * retentions. Nothing is ever deleted. Returns what was not as declared. May be run again, and by several at a time.
 */
export async function provisionTables(
  connection: Connection,
  declarations: readonly TableDeclaration[],
  { checkOnly = false }: { readonly checkOnly?: boolean } = {},
): Promise<readonly Drift[]> {
  const drifts: Drift[] = [];
  for (const table of declarations) {
    drifts.push(...(await provisionTable(connection.admin, { connection, table, checkOnly })));
  }
  return drifts;
}

type Admin = v2.BigtableTableAdminClient;

interface TableTask {
  readonly connection: Connection;
  readonly table: TableDeclaration;
  readonly checkOnly: boolean;
}

async function provisionTable(admin: Admin, { connection, table, checkOnly }: TableTask): Promise<Drift[]> {
  const name = connection.tableName(table.name);
  const found = await storedFamilies(admin, name);
  if (found === undefined) {
    if (!checkOnly) {
      await createTable(admin, connection.parent, table);
    }
    return [{ table: table.name, what: 'missing-table' }];
  }
  const drifts = table.families.flatMap(({ name: family, keeps }): Drift[] => {
    const stored = found.get(family);
    if (stored === undefined) {
      return [{ table: table.name, family, what: 'missing-family' }];
    }
    return stored === ruleText(keeps) ? [] : [{ table: table.name, family, what: 'other-retention' }];
  });
  if (!checkOnly && drifts.length > 0) {
    await changeFamilies(admin, name, { table, drifts });
  }
  return drifts;
}

/** The families of a table with their rules; undefined where there is no such table. */
async function storedFamilies(admin: Admin, name: string): Promise<Map<string, string> | undefined> {
  try {
    const [table] = await admin.getTable({ name, view: 'SCHEMA_VIEW' });
    return new Map(
      Object.entries(table.columnFamilies ?? {}).map(([family, { gcRule }]) => [
        family,
        gcRule?.maxAge ? `age ${Number(gcRule.maxAge.seconds)}` : `versions ${gcRule?.maxNumVersions ?? 0}`,
      ]),
    );
  } catch (error) {
    if (grpcStatus(error) === 'not-found') {
      return undefined;
    }
    throw namedError(error, name);
  }
}

async function createTable(admin: Admin, parent: string, { name, families }: TableDeclaration): Promise<void> {
  try {
    const columnFamilies = Object.fromEntries(
      families.map((family) => [family.name, { gcRule: ruleOf(family.keeps) }]),
    );
    await admin.createTable({ parent, tableId: name, table: { columnFamilies } });
  } catch (error) {
    if (grpcStatus(error) !== 'already-exists') {
      throw namedError(error, name);
    }
  }
}

async function changeFamilies(
  admin: Admin,
  name: string,
  { table, drifts }: { readonly table: TableDeclaration; readonly drifts: readonly Drift[] },
): Promise<void> {
  const declared = new Map(table.families.map((family) => [family.name, family]));
  const modifications = drifts.map(({ family = '', what }) => {
    const columnFamily = { gcRule: ruleOf((declared.get(family) as FamilyDeclaration).keeps) };
    return what === 'missing-family' ? { id: family, create: columnFamily } : { id: family, update: columnFamily };
  });
  try {
    await admin.modifyColumnFamilies({ name, modifications });
  } catch (error) {
    if (grpcStatus(error) !== 'already-exists') {
      throw namedError(error, table.name);
    }
  }
}

function ruleOf(keeps: GarbageCollection): { maxAge: { seconds: number } } | { maxNumVersions: number } {
  return 'ageDaysMax' in keeps
    ? { maxAge: { seconds: keeps.ageDaysMax * secondsPerDay } }
    : { maxNumVersions: keeps.versionsMax };
}

function ruleText(keeps: GarbageCollection): string {
  return 'ageDaysMax' in keeps ? `age ${keeps.ageDaysMax * secondsPerDay}` : `versions ${keeps.versionsMax}`;
}

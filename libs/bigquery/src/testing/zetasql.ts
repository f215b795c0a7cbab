import { spawn } from 'node:child_process';
import { chmodSync, constants, accessSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ZetaSQLClient } from '@fivetrandevelopers/zetasql';
import type { TableSchema } from '../schema.ts';
import { freePort, stopProcess } from './server-process.ts';

/** Google's own SQL analyser and evaluator, in a process of its own. */
export interface Zetasql {
  /** Resolves where the statement is right. Rejects in Google's words where it is not. */
  analyze(statement: string, catalog: SqlCatalog): Promise<void>;
  /** The rows of a query that names no table: every column must be text. */
  evaluate(query: string): Promise<string[][]>;
  close(): Promise<void>;
}

export interface SqlCatalog {
  readonly tables: readonly TableSchema[];
  /** Named parameters with their types. */
  readonly parameters?: Readonly<Record<string, string>>;
}

const startMs = 30_000;
const callMs = 20_000;
const statementKinds = [
  'RESOLVED_QUERY_STMT',
  'RESOLVED_CREATE_TABLE_STMT',
  'RESOLVED_CREATE_VIEW_STMT',
  'RESOLVED_CREATE_MATERIALIZED_VIEW_STMT',
  'RESOLVED_CREATE_TABLE_FUNCTION_STMT',
  'RESOLVED_ALTER_TABLE_STMT',
  'RESOLVED_DROP_MATERIALIZED_VIEW_STMT',
  'RESOLVED_INSERT_STMT',
  'RESOLVED_DELETE_STMT',
];

type Call = (request: object) => Promise<Record<string, unknown>>;

/** Starts the local service that the package holds, on a free port. */
export async function startZetasql(): Promise<Zetasql> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-zetasql-'));
  const home = dirname(createRequire(import.meta.url).resolve('@fivetrandevelopers/zetasql'));
  const port = await freePort();
  const server = spawn(executable(join(home, 'zetasql'), folder), ['127.0.0.1', String(port)], { stdio: 'ignore' });
  ZetaSQLClient.init(port);
  const client = ZetaSQLClient.API as unknown as Client;
  const close = async (): Promise<void> => {
    client.close();
    await stopProcess(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await promisify(client.waitForReady.bind(client))(Date.now() + startMs);
    const call = caller(client);
    const language = await call('getLanguageOptions')({ maximumFeatures: true });
    language['productMode'] = 'PRODUCT_EXTERNAL';
    language['supportedStatementKinds'] = statementKinds;
    return { ...judge(call, language), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function judge(call: (method: string) => Call, languageOptions: object): Omit<Zetasql, 'close'> {
  const builtinFunctionOptions = { languageOptions };
  return {
    analyze: async (statement, { tables, parameters = {} }) => {
      await call('analyze')({
        sqlStatement: statement,
        options: {
          languageOptions,
          queryParameters: Object.entries(parameters).map(([name, type]) => ({
            name,
            type: { typeKind: `TYPE_${type}` },
          })),
        },
        simpleCatalog: {
          name: 'warehouse',
          builtinFunctionOptions,
          table: tables.map(({ name, columns }) => ({
            name,
            column: columns.map((column) => ({ name: column.name, type: { typeKind: `TYPE_${column.type}` } })),
          })),
        },
      });
    },
    evaluate: async (query) => {
      const answer = await call('evaluateQuery')({
        sql: query,
        options: { languageOptions },
        simpleCatalog: { name: 'empty', builtinFunctionOptions },
      });
      const { content } = answer as { content?: { tableData?: { row?: { cell?: { stringValue?: string }[] }[] } } };
      return (content?.tableData?.row ?? []).map(({ cell = [] }) => cell.map(({ stringValue = '' }) => stringValue));
    },
  };
}

/** The binary, or, where its mode was lost on the way, a copy of it that may be run. */
function executable(home: string, folder: string): string {
  const packed = join(home, process.arch === 'arm64' ? 'remote_server_arm.so' : 'remote_server.so');
  try {
    accessSync(packed, constants.X_OK);
    return packed;
  } catch {
    const copy = join(folder, 'zetasql');
    copyFileSync(packed, copy);
    chmodSync(copy, 0o755);
    return copy;
  }
}

/** What we use of the package's own client; its types name fewer calls than the service has. */
interface Client {
  waitForReady(deadlineMs: number, callback: (error?: Error) => void): void;
  close(): void;
}
type Method = (
  request: object,
  options: { readonly deadline: number },
  callback: (error: { readonly details: string } | null, answer: Record<string, unknown>) => void,
) => void;

function caller(client: Client): (method: string) => Call {
  return (method) => (request) =>
    new Promise((resolve, reject) => {
      const send = (client as unknown as Readonly<Record<string, Method>>)[method] as Method;
      send.call(client, request, { deadline: Date.now() + callMs }, (error, answer) => {
        if (error === null) {
          resolve(answer);
        } else {
          reject(new Error(error.details));
        }
      });
    });
}

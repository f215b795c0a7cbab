import { AlreadyThereError, NotThereError, type BigQueryApi } from './api.ts';
import type { Jobs } from './jobs.ts';
import { warehouseTables, type TableColumn, type TableSchema } from './schema.ts';
import { addColumn, createTable, definitions, type Definition } from './sql/statements.ts';

/** What is other than it must be, in words for an operator. `mend` makes it right; without it a person must. */
export interface Drift {
  readonly what: string;
  readonly mend?: () => Promise<void>;
}

interface FoundTable {
  readonly schema?: {
    readonly fields?: readonly { readonly name: string; readonly type: string; readonly mode?: string }[];
  };
  readonly timePartitioning?: { readonly type?: string; readonly field?: string };
  readonly clustering?: { readonly fields?: readonly string[] };
  readonly view?: { readonly query?: string };
  readonly materializedView?: { readonly query?: string };
  readonly definitionBody?: string;
}

/** REST's older names of the types. */
const restTypes: Readonly<Record<string, string>> = { INTEGER: 'INT64' };

/** Compares a dataset with what this build needs. Columns that a later build added are no drift: this one leaves them alone. */
export class Provisioning {
  readonly #api: BigQueryApi;
  readonly #jobs: Jobs;
  readonly #named: (name: string) => string;

  constructor(api: BigQueryApi, jobs: Jobs) {
    this.#api = api;
    this.#jobs = jobs;
    this.#named = (name) => `\`${api.location.projectId}.${api.location.dataset}.${name}\``;
  }

  /** In the order in which it is to be mended. */
  async drift(): Promise<readonly Drift[]> {
    const { dataset } = this.#api.location;
    if ((await this.#find(`/datasets/${dataset}`)) === undefined) {
      return [
        { what: `dataset ${dataset} is not there`, mend: () => this.#createDataset() },
        ...warehouseTables.map((table) => this.#missingTable(table)),
        ...definitions(this.#named).map((definition) => this.#stale(definition, 'is not there')),
      ];
    }
    const drift: Drift[] = [];
    for (const table of warehouseTables) {
      drift.push(...(await this.#tableDrift(table)));
    }
    for (const definition of definitions(this.#named)) {
      drift.push(...(await this.#definitionDrift(definition)));
    }
    return drift;
  }

  /** Whether a table is there with every column that this build writes. */
  async fits(table: TableSchema): Promise<boolean> {
    const found = await this.#findTable(table);
    return found !== undefined && this.#columnDrift(table, found).length === 0;
  }

  async #tableDrift(table: TableSchema): Promise<readonly Drift[]> {
    const found = await this.#findTable(table);
    if (found === undefined) {
      return [this.#missingTable(table)];
    }
    return [...this.#columnDrift(table, found), ...layoutDrift(table, found)];
  }

  #columnDrift(table: TableSchema, { schema }: FoundTable): readonly Drift[] {
    const fields = new Map((schema?.fields ?? []).map((field) => [field.name, field]));
    return table.columns.flatMap((column): Drift[] => {
      const field = fields.get(column.name);
      if (field === undefined) {
        return [this.#missingColumn(table, column)];
      }
      const type = restTypes[field.type] ?? field.type;
      return type === column.type
        ? []
        : [{ what: `column ${table.name}.${column.name} is ${type}, not ${column.type}` }];
    });
  }

  async #definitionDrift(definition: Definition): Promise<readonly Drift[]> {
    const { dataset } = this.#api.location;
    const kind = definition.kind === 'function' ? 'routines' : 'tables';
    const found = (await this.#find(`/datasets/${dataset}/${kind}/${definition.name}`)) as FoundTable | undefined;
    if (found === undefined) {
      return [this.#stale(definition, 'is not there')];
    }
    const query = found.view?.query ?? found.materializedView?.query ?? found.definitionBody ?? '';
    return sameText(query, definition.query) ? [] : [this.#stale(definition, 'says something else')];
  }

  #missingTable(table: TableSchema): Drift {
    return {
      what: `table ${table.name} is not there`,
      mend: () => this.#execute(createTable(table, this.#named)),
    };
  }

  #missingColumn(table: TableSchema, column: TableColumn): Drift {
    const what = `column ${table.name}.${column.name} is not there`;
    // Rows that are there already can't have a value that all rows must have.
    return column.added ? { what, mend: () => this.#execute(addColumn(table, column, this.#named)) } : { what };
  }

  #stale({ kind, name, statements }: Definition, how: string): Drift {
    return {
      what: `${kind} ${name} ${how}`,
      mend: async () => {
        for (const statement of statements) {
          await this.#execute(statement);
        }
      },
    };
  }

  async #execute(statement: string): Promise<void> {
    await this.#jobs.execute(statement);
  }

  async #createDataset(): Promise<void> {
    const { projectId, dataset, location } = this.#api.location;
    const body = { datasetReference: { projectId, datasetId: dataset }, location, storageBillingModel: 'PHYSICAL' };
    try {
      await this.#api.call({ method: 'POST', path: '/datasets', body });
    } catch (error) {
      if (!(error instanceof AlreadyThereError)) {
        throw error;
      }
    }
  }

  async #findTable({ name }: TableSchema): Promise<FoundTable | undefined> {
    const found = await this.#find(`/datasets/${this.#api.location.dataset}/tables/${name}`);
    return found as FoundTable | undefined;
  }

  async #find(path: string): Promise<unknown> {
    try {
      return await this.#api.call({ method: 'GET', path });
    } catch (error) {
      if (error instanceof NotThereError) {
        return undefined;
      }
      throw error;
    }
  }
}

/** What no statement changes once a table is there. */
function layoutDrift({ name, partition, cluster }: TableSchema, found: FoundTable): readonly Drift[] {
  const shownPartition = (by?: string, column?: string): string => `${by ?? 'nothing'} of ${column ?? 'nothing'}`;
  const wanted = shownPartition(partition?.by, partition?.column);
  const there = shownPartition(found.timePartitioning?.type, found.timePartitioning?.field);
  const clustered = (found.clustering?.fields ?? []).join(', ');
  return [
    ...(wanted === there ? [] : [{ what: `table ${name} is partitioned by ${there}, not by ${wanted}` }]),
    ...(clustered === cluster.join(', ')
      ? []
      : [{ what: `table ${name} is clustered by ${clustered || 'nothing'}, not by ${cluster.join(', ')}` }]),
  ];
}

function sameText(a: string, b: string): boolean {
  const words = (text: string): string => text.trim().replaceAll(/\s+/g, ' ').replace(/;$/, '');
  return words(a) === words(b);
}

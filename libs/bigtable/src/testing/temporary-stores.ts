import { skippedWithout, startBigtableEmulator, type RunningPart } from '@meterflow/emulators';
import { afterAll, beforeAll, describe } from 'vitest';
import { openBigtable, type BigtableOptions, type BigtableStores } from '../open-stores.ts';
import { bigtableSchema, type TableDeclaration } from '../schema.ts';

process.env['METADATA_SERVER_DETECTION'] = 'none';

/** A real Bigtable emulator for the tests of one file. */
export interface EmulatorUnderTest {
  /** Stores of their own, with all tables, or those named. */
  open(options?: OpenOptions): Promise<OpenStores>;
  /** Another process's view of the same stores. */
  reopen(stores: OpenStores, options?: Partial<BigtableOptions>): BigtableStores;
  readonly address: string;
}

export interface OpenOptions extends Partial<BigtableOptions> {
  readonly only?: readonly string[];
}

export type OpenStores = BigtableStores & { readonly tablePrefix: string };

const target = { projectId: 'p', instance: 'i' };
let opened = 0;

/** Describes what needs the emulator. */
export function withEmulator(name: string, body: (emulator: EmulatorUnderTest) => void): void {
  describe.skipIf(skippedWithout('bigtable-emulator'))(`${name} [needs bigtable-emulator]`, () => {
    let running: RunningPart;
    /** A client of its own for each opening would take longer than most tests. */
    let shared: BigtableStores;
    const others: BigtableStores[] = [];

    beforeAll(async () => {
      running = await startBigtableEmulator();
      shared = openBigtable({ ...target, emulator: running.address });
    });

    afterAll(async () => {
      await Promise.all([shared, ...others].map((stores) => stores.close()));
      await running.stop();
    });

    const connect = (tablePrefix: string, options: Partial<BigtableOptions>): OpenStores => {
      const by = options.emulator === undefined ? { connection: shared.connection } : {};
      return Object.assign(openBigtable({ ...target, ...by, tablePrefix, ...options }), { tablePrefix });
    };
    body({
      get address() {
        return running.address;
      },
      open: async ({ only, ...options }: OpenOptions = {}) => {
        opened += 1;
        const stores = connect(`t${opened}_`, options);
        const isWanted = ({ name: table }: TableDeclaration): boolean =>
          only === undefined || only.some((one) => table.endsWith(`_${one}`));
        await stores.provision(bigtableSchema(undefined, stores.tablePrefix).filter(isWanted));
        return stores;
      },
      reopen: ({ tablePrefix }, options = {}) => {
        const stores = connect(tablePrefix, options);
        others.push(stores);
        return stores;
      },
    });
  });
}

import type { DevServer } from '../dev-server.ts';
import { completed, importInto, push } from '../requests.ts';

/** A way in which readings come, and how many of them one measurement sends. */
export interface Shape {
  readonly name: string;
  readonly readings: number;
  /**
   * Sends them all under meter names of their own; resolves with the sources, when the last is complete. Of many sources
   * the receipts are asked for afterwards: that would cost more than the readings do.
   */
  send(server: DevServer): Promise<readonly string[]>;
}

/** Meter by meter, a whole year of each. */
export function fileShape(file: string, readings: number): Shape {
  return {
    name: 'file',
    readings,
    send: async (server) => {
      const source = await importInto(server, file);
      await completed(server, source);
      return [source];
    },
  };
}

export interface PushShape {
  readonly name: string;
  /** Each sends one interval of all. */
  readonly pushes: number;
  readonly metersPerPush: number;
  /** Pushes under way at the same time. */
  readonly inFlight: number;
}

/** Many meters, one interval a push: what a head-end system sends every quarter of an hour. */
export const livePush: PushShape = { name: 'live push', pushes: 24, metersPerPush: 4_000, inFlight: 4 };
/** The counter-example: a message for each reading. */
export const onePerMessage: PushShape = {
  name: 'one reading a message',
  pushes: 1_000,
  metersPerPush: 1,
  inFlight: 16,
};

const firstReadingMs = Date.UTC(2025, 5, 1);
const quarterHourMs = 900_000;

export function pushShape({ name, pushes, metersPerPush, inFlight }: PushShape): Shape {
  return {
    name,
    readings: pushes * metersPerPush,
    send: async (server) => {
      const prefix = `${name.replaceAll(' ', '-')}-${Date.now().toString(36)}`;
      const sources: string[] = [];
      let next = 0;
      const sender = async (): Promise<void> => {
        while (next < pushes) {
          const interval = next++;
          sources.push(await push(server, csvOf({ prefix, meters: metersPerPush, interval })));
        }
      };
      await Promise.all(Array.from({ length: inFlight }, sender));
      await completed(server, sources.at(-1) as string);
      return sources;
    },
  };
}

function csvOf({ prefix, meters, interval }: { prefix: string; meters: number; interval: number }): string {
  const start = new Date(firstReadingMs + interval * quarterHourMs).toISOString().replace('.000Z', 'Z');
  const lines = Array.from(
    { length: meters },
    (_, meter) => `${prefix}-${meter},import,${start},0.${meter % 89},kWh\n`,
  );
  return `meter_id,channel,start,value,unit\n${lines.join('')}`;
}

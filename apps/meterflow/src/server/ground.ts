import type { DataDirectory } from '@meterflow/embedded';
import type { Logger } from '@meterflow/stage';

/** What the services of one server stand on: opened before the first of them starts, closed when the last has ended. */
export interface Ground {
  /** Tells the services' processes what they stand on. */
  readonly environment: Readonly<Record<string, string>>;
  /** Makes what a dead process held come again at once, instead of when its lease runs out; returns how many messages. */
  giveBack(owner: string): number;
  close(): Promise<void>;
}

export interface GroundOptions {
  readonly directory: DataDirectory;
  readonly lanes: readonly string[];
  readonly logger: Logger;
}

export type OpenGround = (options: GroundOptions) => Promise<Ground>;

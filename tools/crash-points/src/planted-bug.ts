import type { Stage, StagePorts } from '@meterflow/stage';
import type { CrashingProcess } from './crashing-process.ts';
import type { CrashPorts } from './world.ts';

/**
 * A bug that the proof must find, as a variant of the real code: what stands between it and the world, or the stage
 * itself. Absent parts are as they are.
 */
export interface PlantedBug {
  readonly name: string;
  /** Where it can be planted; everywhere where absent. */
  readonly adapters?: readonly string[];
  /** The ports of a process, before its stage is made. */
  readonly ports?: (ports: CrashPorts) => CrashPorts;
  /** The ports of a running stage. */
  readonly stagePorts?: <Write>(ports: StagePorts<Write>, process: CrashingProcess) => StagePorts<Write>;
  /** The stage; undefined where it is another one's bug. */
  readonly stage?: <Input, Reads, Write>(
    stage: Stage<Input, Reads, Write>,
    ports: CrashPorts,
  ) => Stage<Input, Reads, Write> | undefined;
}

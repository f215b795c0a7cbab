import type { Tickets } from '@meterflow/idempotent-writes';
import type { Stage, StagePorts } from '@meterflow/stage';
import type { StoryName } from './workload.ts';
import type { CrashPorts } from './world.ts';

/** A stage as a process is about to run it. */
export interface Running<Input, Reads, Write> {
  readonly stage: Stage<Input, Reads, Write>;
  readonly ports: StagePorts<Write>;
  readonly tickets: () => Tickets;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
}

/**
 * A bug that the proof must find, as a variant of the real code: what stands between it and the world, or the stage
 * itself.
 */
export interface PlantedBug {
  readonly name: string;
  /** In which story it can show: the proof is run over the seeds whose turn that one is. */
  readonly story: StoryName;
  /** Where it can be planted, and why not elsewhere; everywhere where absent. */
  readonly only?: { readonly adapters: readonly string[]; readonly because: string };
  /** The ports of a process, before its stage is made. */
  readonly ports?: (ports: CrashPorts, stage: string) => CrashPorts;
  /** The stage, and the ports that it runs on. */
  readonly running?: <Input, Reads, Write>(running: Running<Input, Reads, Write>) => Running<Input, Reads, Write>;
}

/** The same ports, or one port, but for some members. */
export function withPorts<Ports extends object>(ports: Ports, others: Partial<Ports>): Ports {
  return new Proxy(ports, {
    get: (target, name) => {
      const value: unknown = Reflect.get(Object.hasOwn(others, name) ? others : target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

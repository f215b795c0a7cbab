import { z } from 'zod';
import { CommandError } from '../cli-context.ts';

/** How long the supervisor waits for what. */
export interface Supervision {
  /** A process that says nothing, or says that it is stuck, for so long is killed and started anew. */
  readonly silenceMsMax: number;
  /** A stage is stuck when messages are in work and none was settled for so long: longer than any handler may take. */
  readonly stuckMs: number;
  /** How long a drain may take; what was not settled by then comes again. */
  readonly drainMs: number;
}

const environmentShape = z.object({
  METERFLOW_SILENCE_MS: z.coerce.number().int().min(3_000).default(15_000),
  METERFLOW_STUCK_MS: z.coerce.number().int().positive().default(30_000),
  METERFLOW_DRAIN_MS: z.coerce.number().int().positive().default(20_000),
});

/** Throws {@link CommandError} naming every variable that does not fit. */
export function supervisionFrom(environment: Readonly<Record<string, string | undefined>>): Supervision {
  const parsed = environmentShape.safeParse(environment);
  if (!parsed.success) {
    throw new CommandError('not-configured', z.prettifyError(parsed.error));
  }
  const { METERFLOW_SILENCE_MS, METERFLOW_STUCK_MS, METERFLOW_DRAIN_MS } = parsed.data;
  return { silenceMsMax: METERFLOW_SILENCE_MS, stuckMs: METERFLOW_STUCK_MS, drainMs: METERFLOW_DRAIN_MS };
}

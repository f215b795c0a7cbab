import type { Stage } from '@meterflow/stage';

/**
 * The stage of the primary store before another sink: it publishes nothing, since only the primary store's readings are
 * read back, and no receipt waits for it.
 */
export function withoutNotices<Write>(stage: Stage<Write, undefined, Write>): Stage<Write, undefined, Write> {
  return {
    ...stage,
    name: `${stage.name}-warehouse`,
    origin: (write) => ({ ...stage.origin(write), layers: [] }),
    handle: (writes) => Promise.resolve({ writes, messages: [] }),
  };
}

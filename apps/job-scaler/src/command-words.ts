import { ConfigurationError } from '@meterflow/service';
import { parseArgs } from 'node:util';

export const help = `usage: job-scaler --config FILE [--validate]

Watches the backlogs of stages and starts Jobs for them, up only: as many as what waits asks for, less those that run. Workers
end themselves when they are idle (--exit-when-idle), and nobody else ends one. One of several processes leads, by a Lease.

  --config FILE   JSON: which stages, where their metrics are (k8s/components/queue-jobs has one)
  --validate      check the configuration and end: 0 where it fits, 2 where it does not
  --help          this text

Answers /livez, /readyz and /metrics on operationsPort. The cluster is that of KUBECONFIG, else the one that it runs in.
`;

export type CommandWords = { readonly kind: 'help' } | { readonly kind: 'run' | 'validate'; readonly file: string };

/** Throws ConfigurationError. */
export function commandWords(words: readonly string[]): CommandWords {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { config: { type: 'string' }, validate: flag, help: flag } as const;
    const { config: file, validate, help: asked } = parseArgs({ args: [...words], options }).values;
    if (asked) {
      return { kind: 'help' };
    }
    if (file === undefined) {
      throw new Error('--config FILE is missing');
    }
    return { kind: validate ? 'validate' : 'run', file };
  } catch (error) {
    throw new ConfigurationError(`✖ ${(error as Error).message}\n\n${help}`);
  }
}

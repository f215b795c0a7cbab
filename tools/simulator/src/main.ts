import { parseHpa, replay, type MetricStep, type ReplayedSync } from '@meterflow/scaling';
import { parseOptions, print, refuse } from '@meterflow/command-line';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { replaySettingsSchema, stepsSchema } from './scenario-schema.ts';

const usage = `npm run simulate -- --metrics FILE --hpa FILE [--json] [options]

The replicas that Kubernetes' HorizontalPodAutoscaler controller decides on at every sync, for any manifest with External
metrics and any sequence of their values.

  --metrics FILE   JSON: [{"at": SECONDS, "values": {"METRIC": NUMBER, …}}, …], in order; values hold until the next step,
                   a metric without a value fails; "METRIC{a=b}" where a selector tells metrics apart
  --hpa FILE       HorizontalPodAutoscaler, autoscaling/v2, YAML or JSON; the first one in the file
  --seconds N      how long; an hour beyond the last step when not given
  --replicas N     at the beginning (1)
  --sync-seconds N, --tolerance N, --downscale-stabilization-seconds N
                   flags of kube-controller-manager (15, 0.1, 300)
  --pod-ready-seconds N   from a pod's creation until it is Ready (0)
  --configurable-tolerance   behavior's tolerance counts (feature gate HPAConfigurableTolerance)
  --json           {"syncs": [{"at", "from", "to"}, …]} instead of the table of changes`;

/** Longer than any stabilization window that is in use, so that what the last step leads to shows. */
const secondsAfterLastStep = 3_600;
const fileBytesMax = 256 * 1024 ** 2;

/** Thrown for what the caller has to mend; the message says how. */
class UsageError extends Error {}

function main(): number {
  try {
    const { values } = parseOptions(usage, {
      options: {
        metrics: { type: 'string' },
        hpa: { type: 'string' },
        seconds: { type: 'string' },
        replicas: { type: 'string' },
        'sync-seconds': { type: 'string' },
        tolerance: { type: 'string' },
        'downscale-stabilization-seconds': { type: 'string' },
        'pod-ready-seconds': { type: 'string' },
        'configurable-tolerance': { type: 'boolean' },
        json: { type: 'boolean', default: false },
      },
    });
    const { metrics, hpa, json } = values;
    if (metrics === undefined || hpa === undefined) {
      return refuse(`--metrics and --hpa are needed.\n\n${usage}`);
    }
    const steps = stepsSchema.parse(read(metrics, (text) => JSON.parse(text)));
    const syncs = replay({ spec: parseHpa(read(hpa, firstHpa)), steps, ...settings(values, steps) });
    print(json ? JSON.stringify({ syncs }) : table(syncs));
    return 0;
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    process.stderr.write(`simulate: ${message}\n${error instanceof UsageError ? `\n${usage}\n` : ''}`);
    return 2;
  }
}

/** Options that set a number, and what they set. */
const numbers = {
  seconds: 'seconds',
  replicas: 'replicas',
  'sync-seconds': 'syncSeconds',
  tolerance: 'tolerance',
  'downscale-stabilization-seconds': 'downscaleStabilizationSeconds',
  'pod-ready-seconds': 'podReadySeconds',
} as const;

function settings(
  values: Readonly<Record<string, unknown>>,
  steps: readonly MetricStep[],
): z.output<typeof replaySettingsSchema> {
  const given = Object.entries(numbers).filter(([option]) => values[option] !== undefined);
  return replaySettingsSchema.parse({
    seconds: (steps.at(-1)?.at ?? 0) + secondsAfterLastStep,
    configurableTolerance: values['configurable-tolerance'],
    ...Object.fromEntries(given.map(([option, name]) => [name, numberOf(values[option])])),
  });
}

/** NaN, which is refused, where nothing stands there. */
function numberOf(text: unknown): number {
  return typeof text === 'string' && text.trim() !== '' ? Number(text) : NaN;
}

function firstHpa(text: string): unknown {
  const documents = parseAllDocuments(text).map((document) => {
    const [wrong] = document.errors;
    if (wrong !== undefined) {
      throw wrong;
    }
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  });
  const isHpa = (each: unknown): boolean => (each as { kind?: unknown } | null)?.kind === 'HorizontalPodAutoscaler';
  return documents.find(isHpa) ?? documents[0];
}

function read(file: string, parse: (text: string) => unknown): unknown {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > fileBytesMax) {
      throw new RangeError(`larger than ${fileBytesMax} bytes`);
    }
    return parse(bytes.toString('utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

function table(syncs: readonly ReplayedSync[]): string {
  const changes = syncs.filter(({ from, to }) => from !== to).map(({ at, from, to }) => `${at} s: ${from} → ${to}`);
  return [
    ...changes,
    `${syncs.length} syncs, ${changes.length} changes, at the end ${syncs.at(-1)?.to ?? 0} replicas`,
  ].join('\n');
}

process.exitCode = main();

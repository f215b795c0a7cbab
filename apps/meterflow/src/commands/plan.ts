import {
  compareModels,
  hpaPatch,
  LoadTraceError,
  parseHpa,
  parseLoadTrace,
  planChart,
  planMetricOf,
  shippedTrace,
  shippedTraces,
  type HpaSpec,
  type LoadTrace,
  type Plan,
  type PlanOutcome,
  type PlanRequest,
  type Recommendation,
} from '@meterflow/scaling';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { CommandError, type GlobalOptions, type Output } from '../cli-context.ts';
import { table } from '../terminal/table.ts';

export interface PlanOptions {
  readonly trace: string;
  readonly deadline: number;
  readonly readingsPerDay: number;
  readonly rate: number;
  readonly replicasMax: number;
  readonly podStart: number;
  readonly drain: number;
  readonly metricSample: number;
  readonly metricLag: number;
  readonly killEvery?: number;
  readonly price: number;
  readonly name?: string;
  readonly hpa?: string;
  readonly readingsPerMessage?: number;
  readonly svg?: string;
  readonly csv?: string;
  readonly patch?: string;
}

/** A quarter of a vCPU at 2.5 CPU-seconds per million readings; metrics as late as Cloud Monitoring's; times in seconds. */
export const planDefaults = {
  readingsPerDay: 1_000_000_000,
  rate: 100_000,
  replicasMax: 50,
  podStart: 20,
  drain: 30,
  metricSample: 60,
  metricLag: 180,
  price: 0.0136,
  name: 'persistence',
  /** Where an autoscaler counts messages: the fewest readings of one, so that a backlog is never taken for less than it is. */
  readingsPerMessage: 1_000,
} as const;

/** As provisioned: `ackDeadlineSeconds` of the platform file. */
const ackDeadlineSeconds = 60;
const inFlightSeconds = 2;
const traceBytesMax = 64 * 1024 ** 2;
const aliasesMax = 100;
const manifestBytesMax = 1024 ** 2;

type NamedOptions = PlanOptions & { readonly name: string };

/** The autoscaler that is there. */
interface Existing {
  readonly name: string | undefined;
  readonly spec: HpaSpec;
}

/** Writes nothing but the files that were asked for. */
export function plan(options: PlanOptions, { json }: GlobalOptions, output: Output): void {
  const existing = options.hpa === undefined ? undefined : existingOf(options.hpa);
  const request = requestOf(options, existing);
  const found = compareModels(request);
  const named = { ...options, name: options.name ?? existing?.name ?? planDefaults.name };
  if (found.recommendation !== undefined) {
    writeFiles(named, request, found.recommendation);
  }
  output.line(json ? JSON.stringify(shape(found, named)) : text(found, named));
  if (found.recommendation === undefined) {
    throw new CommandError(
      'deadline-not-kept',
      `No HPA with at most ${options.replicasMax} pods keeps the deadline of ${options.deadline} s: raise --replicas-max or --rate, or take metrics that are less late.`,
    );
  }
}

/** Throws CommandError unless each of its metrics is a backlog or an age: others are not modelled, and would decide as well. */
function existingOf(file: string): Existing {
  try {
    if (statSync(file).size > manifestBytesMax) {
      throw new RangeError(`A manifest has at most ${manifestBytesMax} bytes.`);
    }
    const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
      const [broken] = document.errors;
      if (broken !== undefined) {
        throw broken;
      }
      return document.toJS({ maxAliasCount: aliasesMax }) as { kind?: unknown; metadata?: { name?: unknown } } | null;
    });
    const manifest = documents.find((each) => each?.kind === 'HorizontalPodAutoscaler') ?? documents[0];
    const spec = parseHpa(manifest);
    refuseUnservable(spec);
    const other = spec.metrics.find(({ name }) => planMetricOf(name) === undefined);
    if (other !== undefined) {
      throw new RangeError(`The metric ${other.name} is neither a backlog nor an age: plan without it.`);
    }
    const name = manifest?.metadata?.name;
    return { name: typeof name === 'string' ? name : undefined, spec };
  } catch (error) {
    throw new CommandError('hpa-invalid', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** What the API server would not take, and no controller ever sees. */
function refuseUnservable({ minReplicas, maxReplicas, metrics }: HpaSpec): void {
  if (minReplicas > maxReplicas) {
    throw new RangeError(`minReplicas, ${minReplicas}, is above maxReplicas, ${maxReplicas}.`);
  }
  const aimless = metrics.find(({ target }) => target.milli === 0);
  if (aimless !== undefined) {
    throw new RangeError(`The target of ${aimless.name} is none: it is to be more than 0.`);
  }
}

function requestOf(options: PlanOptions, existing: Existing | undefined): PlanRequest {
  const { rate, replicasMax, metricSample } = options;
  const byDefault = existing === undefined ? 1 : planDefaults.readingsPerMessage;
  const { readingsPerMessage = byDefault } = options;
  if (!(rate > 0 && replicasMax > 0 && metricSample > 0 && options.deadline > 0 && readingsPerMessage > 0)) {
    const all = 'Rate, most pods, deadline, metric sample and readings of a message';
    throw new CommandError('plan-invalid', `${all} are each more than none.`);
  }
  return {
    trace: traceOf(options),
    deadlineSeconds: options.deadline,
    replicasMax,
    readingsPerMessage,
    ...(existing && { existing: existing.spec }),
    world: {
      readingsPerPodSecond: rate,
      startSeconds: options.podStart,
      drainSeconds: options.drain,
      metricSampleSeconds: metricSample,
      metricLagSeconds: options.metricLag,
      ackDeadlineSeconds,
      inFlightSeconds,
      dollarsPerPodHour: options.price,
      ...(options.killEvery !== undefined && options.killEvery > 0 && { killEverySeconds: options.killEvery }),
    },
  };
}

function traceOf({ trace, readingsPerDay }: PlanOptions): LoadTrace {
  const shipped = shippedTraces.find((name) => name === trace);
  if (shipped !== undefined) {
    return shippedTrace(shipped, readingsPerDay);
  }
  try {
    if (statSync(trace).size > traceBytesMax) {
      throw new LoadTraceError(`A trace has at most ${traceBytesMax} bytes.`);
    }
    return parseLoadTrace(readFileSync(trace, 'utf8'));
  } catch (error) {
    throw new CommandError('trace-invalid', `${trace}: ${(error as Error).message}`, { cause: error });
  }
}

function writeFiles(
  options: NamedOptions,
  { trace, deadlineSeconds }: PlanRequest,
  { spec, outcome }: Recommendation,
): void {
  const files = [
    [
      options.svg,
      () => planChart({ title: `${options.trace}, deadline ${deadlineSeconds} s`, trace, outcome, deadlineSeconds }),
    ],
    [options.csv, () => csv(outcome)],
    [options.patch, () => stringify(hpaPatch(spec, options.name))],
  ] as const;
  for (const [file, content] of files) {
    if (file !== undefined) {
      try {
        writeFileSync(file, content());
      } catch (error) {
        throw new CommandError('not-written', `${file} can't be written: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }
}

function csv({ samples }: PlanOutcome): string {
  const lines = samples.map(({ second, backlog, ageSeconds, replicas, readyReplicas }) =>
    [second, backlog, ageSeconds, replicas, readyReplicas].join(),
  );
  return `seconds,backlog,age_seconds,pods,ready_pods\n${lines.join('\n')}\n`;
}

function shape({ recommendation, models }: Plan, { name }: NamedOptions): unknown {
  const told = ({ samples: _samples, ...outcome }: PlanOutcome): object => outcome;
  return {
    recommendation:
      recommendation === undefined
        ? null
        : { patch: hpaPatch(recommendation.spec, name), outcome: told(recommendation.outcome) },
    models: models.map(({ model, settings, keepsDeadline, outcome }) => ({
      model,
      settings,
      keepsDeadline,
      ...told(outcome),
    })),
  };
}

function text({ recommendation, models }: Plan, { name, deadline }: NamedOptions): string {
  const headings = [
    'model',
    'settings',
    `within ${deadline} s`,
    'worst age s',
    'tail s',
    'flaps',
    'changes',
    'pod-hours',
    '$',
  ];
  const rows = models.map(({ model, settings, keepsDeadline, outcome }) => [
    model,
    settings,
    keepsDeadline ? 'yes' : 'no',
    outcome.worstAgeSeconds,
    outcome.tailSeconds,
    outcome.flaps,
    outcome.scaleEvents,
    outcome.podHours.toFixed(1),
    outcome.dollars.toFixed(2),
  ]);
  const patch = recommendation === undefined ? '' : `\n\n${stringify(hpaPatch(recommendation.spec, name)).trimEnd()}`;
  return table(headings, rows) + patch;
}

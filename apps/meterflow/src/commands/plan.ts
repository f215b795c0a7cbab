import {
  compareModels,
  hpaPatch,
  LoadTraceError,
  parseLoadTrace,
  planChart,
  shippedTrace,
  shippedTraces,
  type LoadTrace,
  type Plan,
  type PlanOutcome,
  type PlanRequest,
  type Recommendation,
} from '@meterflow/scaling';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
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
  readonly name: string;
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
} as const;

/** As provisioned: `ackDeadlineSeconds` of the platform file. */
const ackDeadlineSeconds = 60;
const inFlightSeconds = 2;
const traceBytesMax = 64 * 1024 ** 2;

/** Writes nothing but the files that were asked for. */
export function plan(options: PlanOptions, { json }: GlobalOptions, output: Output): void {
  const request = requestOf(options);
  const found = compareModels(request);
  if (found.recommendation !== undefined) {
    writeFiles(options, request, found.recommendation);
  }
  output.line(json ? JSON.stringify(shape(found, options)) : text(found, options));
  if (found.recommendation === undefined) {
    throw new CommandError(
      'deadline-not-kept',
      `No HPA with at most ${options.replicasMax} pods keeps the deadline of ${options.deadline} s: raise --replicas-max or --rate, or take metrics that are less late.`,
    );
  }
}

function requestOf(options: PlanOptions): PlanRequest {
  const { rate, replicasMax, metricSample } = options;
  if (!(rate > 0 && replicasMax > 0 && metricSample > 0 && options.deadline > 0)) {
    throw new CommandError('plan-invalid', 'Rate, most pods, deadline and metric sample are each more than none.');
  }
  return {
    trace: traceOf(options),
    deadlineSeconds: options.deadline,
    replicasMax,
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
  options: PlanOptions,
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

function shape({ recommendation, models }: Plan, { name }: PlanOptions): unknown {
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

function text({ recommendation, models }: Plan, { name, deadline }: PlanOptions): string {
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

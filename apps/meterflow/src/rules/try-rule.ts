import type { CompiledRule } from '@meterflow/rule-compiler';
import { canonicalReading, ReadingCursor, type ReadingBatch } from '@meterflow/readings';
import {
  applyFlowResult,
  matchesChannel,
  parameterProblems,
  RuleFailureError,
  type Flow,
  type ParameterValue,
  type Sandbox,
} from '@meterflow/rules';

/** One reading that a rule changed, in the words of a table. */
export interface TriedReading {
  readonly meter: string;
  readonly channel: string;
  readonly start: string;
  readonly before: string;
  readonly after: string;
  readonly quality: string;
  readonly reason: string;
}

/** What a rule does to sample readings. */
export interface TriedRule {
  readonly rule: string;
  readonly readings: number;
  readonly changed: number;
  /** The first of them. */
  readonly first: readonly TriedReading[];
  /** Why it could not be tried, or failed. */
  readonly problem: string | undefined;
}

const shownMax = 8;
const decimals = 6;

/** Takes sample readings through one rule, as the pipeline would. */
export async function tryRule(
  sandbox: Pick<Sandbox, 'run'>,
  { version, declaration }: CompiledRule,
  sample: { readonly batches: readonly ReadingBatch[]; readonly parameters: Readonly<Record<string, ParameterValue>> },
): Promise<TriedRule> {
  const [unfit] = parameterProblems(declaration, sample.parameters);
  const tried = { rule: version.name, readings: 0, changed: 0, first: [] as TriedReading[], problem: undefined };
  if (unfit !== undefined) {
    return { ...tried, problem: `parameter ${unfit.parameter} ${unfit.problem}: give it with --parameters` };
  }
  if (version.series !== undefined) {
    return { ...tried, problem: 'it looks at whole days: its tests try it' };
  }
  const channels = declaration.channels;
  const flow: Flow = {
    name: 'dev',
    steps: channels.map((each) => ({ rule: version, parameters: sample.parameters, channels: each })),
    onFailure: 'reject',
  };
  const seen = { ...tried, readings: 0, changed: 0 };
  try {
    for (const batch of sample.batches) {
      const result = await sandbox.run(flow, batch);
      const applied = applyFlowResult(batch, result, { key: '0'.repeat(32), decimals, onFailure: 'reject' });
      const before = linesOf(batch).filter(({ channel }) => channels.some((each) => matchesChannel(each, channel)));
      const after = new Map(applied.validated.flatMap(linesOf).map((line) => [identity(line), line]));
      seen.readings += before.length;
      for (const line of before) {
        const now = after.get(identity(line));
        if (
          now !== undefined &&
          (now.value !== line.value || now.quality !== line.quality || now.reason !== line.reason)
        ) {
          seen.changed += 1;
          if (seen.first.length < shownMax) {
            const { meter, channel, start, value } = line;
            seen.first.push({
              ...{ meter, channel, start, before: value },
              ...{ after: now.value, quality: now.quality, reason: now.reason },
            });
          }
        }
      }
    }
    return seen;
  } catch (error) {
    if (error instanceof RuleFailureError) {
      return { ...seen, problem: error.message };
    }
    throw error;
  }
}

interface Line {
  readonly meter: string;
  readonly channel: string;
  readonly start: string;
  readonly value: string;
  readonly quality: string;
  readonly reason: string;
}

function linesOf(batch: ReadingBatch): readonly Line[] {
  const lines: Line[] = [];
  const cursor = new ReadingCursor(batch.columns);
  while (cursor.next()) {
    const series = batch.series[cursor.series];
    if (series !== undefined) {
      const shown = canonicalReading(batch.tenant, { ...series, layer: batch.layer }, cursor);
      const { value, unit, start, quality, reason = '' } = shown;
      lines.push({ ...series, start, value: value === null ? 'none' : `${value} ${unit}`, quality, reason });
    }
  }
  return lines;
}

function identity({ meter, channel, start }: Line): string {
  return `${meter}\n${channel}\n${start}`;
}

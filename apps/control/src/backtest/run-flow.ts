import { ReadingCursor, sliceBatch, type ReadingBatch, type ReadingColumns } from '@meterflow/readings';
import {
  applyFlowResult,
  failedResult,
  RuleFailureError,
  type Activation,
  type Flow,
  type FlowResult,
} from '@meterflow/rules';

/** What a flow does, and where it fails. */
export interface FlowRun {
  readonly columns: readonly ReadingColumns[];
  readonly failedReadings: number;
  /** The first failure, in the words of the sandbox. */
  readonly failure: string | undefined;
}

type Run = (flow: Flow, batch: ReadingBatch) => Promise<FlowResult>;
type Rules = Pick<Activation, 'flow' | 'decimals'>;

const failedBit = 64;
const anyKey = '0'.repeat(32);

/** Takes a batch of one series, in order, through the flow; a failed reading is what `skip` or `reject` make of it. */
export async function runFlow(run: Run, { flow, decimals }: Rules, batch: ReadingBatch): Promise<FlowRun> {
  const { result, failure } = await outcomeOf(run, flow, batch);
  // A batch that is parked, or retried in vain, has no readings in the validated layer: like those rejected.
  const onFailure = flow.onFailure === 'skip' ? 'skip' : 'reject';
  const { validated } = applyFlowResult(batch, result, { key: anyKey, decimals, onFailure });
  const failedReadings = failure === undefined ? 0 : result.changes.filter((bits) => (bits & failedBit) !== 0).length;
  return { columns: validated.map(({ columns }) => columns), failedReadings, failure };
}

async function outcomeOf(
  run: Run,
  flow: Flow,
  batch: ReadingBatch,
): Promise<{ readonly result: FlowResult; readonly failure: string | undefined }> {
  try {
    const result = await run(flow, batch);
    return { result, failure: result.failures[0]?.message };
  } catch (error) {
    if (error instanceof RuleFailureError) {
      return { result: failedResult(batch, error.code), failure: error.message };
    }
    throw error;
  }
}

/** The same under what counts for each reading: of `counting`, highest first, the first whose span contains it. */
export async function runCounting(run: Run, counting: readonly Activation[], batch: ReadingBatch): Promise<FlowRun> {
  const runs = await Promise.all(
    ranges(batch, counting).map(({ activation, from, to }) => runFlow(run, activation, sliceBatch(batch, from, to))),
  );
  return {
    columns: runs.flatMap(({ columns }) => columns),
    failedReadings: runs.reduce((sum, { failedReadings }) => sum + failedReadings, 0),
    failure: runs.find(({ failure }) => failure !== undefined)?.failure,
  };
}

function ranges(
  batch: ReadingBatch,
  counting: readonly Activation[],
): { readonly activation: Activation; readonly from: number; readonly to: number }[] {
  const found: { activation: Activation; from: number; to: number }[] = [];
  const cursor = new ReadingCursor(batch.columns);
  while (cursor.next()) {
    const { startMs, index } = cursor;
    const last = found.at(-1);
    const activation = counting.find(({ fromMs, toMs }) => fromMs <= startMs && startMs < toMs);
    if (last !== undefined && last.activation === activation) {
      last.to = index + 1;
    } else if (activation !== undefined) {
      found.push({ activation, from: index, to: index + 1 });
    }
  }
  return found;
}

import type { Runs } from '@meterflow/readings';
import ivm from 'isolated-vm';
import type { ChildSettings } from './child-settings.ts';
import { DaysAround } from './isolate-around.ts';
import { BatchCursor } from './isolate-cursor.ts';
import { Days } from './isolate-day.ts';
import { Emissions } from './isolate-emissions.ts';
import { loadStep, walk, type StepSource } from './isolate-flow.ts';
import { freezeAll, takeAway } from './isolate-lockdown.ts';
import { leaveAny, makeFlow, walkBatch, type IsolateFlow } from './isolate-main.ts';
import { ReadingState, walkChecked } from './isolate-memory.ts';
import { DayPlaces, DayReading, minuteOfDay } from './isolate-places.ts';
import { reachOf } from './isolate-reach.ts';
import { Reading } from './isolate-reading.ts';
import { columnFor, ShownValues } from './isolate-shown.ts';
import { AroundDay, OwnDay } from './isolate-views.ts';
import { callDay, dayRunner, walkDays } from './isolate-walk-day.ts';
import { runColumns } from './isolate-windows.ts';
import type { ResultReply } from './reply.ts';
import type { RunRequest } from './request.ts';
import { ruleBody } from './rule-source.ts';
import { control, namesWantedBit, sharedBytes, sharedColumns, type SharedColumns } from './shared-layout.ts';

/** Thrown when a step can't be loaded, or a whole walk failed. `code` is a RuleFailureCode. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code: 'rule-invalid' | 'rule-threw' | 'rule-returned-nonsense';
  readonly step: number;

  constructor(code: StepError['code'], step: number, message: string) {
    super(message);
    this.code = code;
    this.step = step;
  }
}

/** Thrown when an isolate used up its memory and is gone. */
export class IsolateGoneError extends Error {
  override readonly name = 'IsolateGoneError';
}

/** Thrown when days take more together than one of them may: each has to be run alone. */
export class ApartError extends Error {
  override readonly name = 'ApartError';
}

/** Thrown when a call into the isolate was stopped by the child's own clock. */
export class BackstopError extends Error {
  override readonly name = 'BackstopError';
}

const program = `
  const parts = {
    takeAway: ${takeAway.toString()}, freezeAll: ${freezeAll.toString()}, sharedColumns: ${sharedColumns.toString()},
    BatchCursor: ${BatchCursor.toString()}, Reading: ${Reading.toString()}, loadStep: ${loadStep.toString()},
    walk: ${walk.toString()}, ReadingState: ${ReadingState.toString()}, walkChecked: ${walkChecked.toString()},
    callDay: ${callDay.toString()}, walkDays: ${walkDays.toString()}, leaveAny: ${leaveAny.toString()},
    dayRunner: ${dayRunner.toString()}, walkBatch: ${walkBatch.toString()},
    Days: ${Days.toString()}, Emissions: ${Emissions.toString()}, reachOf: ${reachOf.toString()},
    ShownValues: ${ShownValues.toString()}, columnFor: ${columnFor.toString()}, DayPlaces: ${DayPlaces.toString()},
    DayReading: ${DayReading.toString()}, DaysAround: ${DaysAround.toString()},
    OwnDay: ${OwnDay.toString()}, AroundDay: ${AroundDay.toString()},
    minuteOfDay: ${minuteOfDay.toString()},
    runColumns: ${runColumns.toString()},
  };
  return (${makeFlow.toString()})(parts, $0, JSON.parse($1));
`;

/** One step as the parent sends it: the rule's source is still a module. */
export interface FlowStepSource extends Omit<StepSource, 'body'> {
  readonly source: string;
}

type Call<Name extends keyof IsolateFlow> = ivm.Reference<IsolateFlow[Name]>;

/** One flow of one tenant in an isolate of its own. Loads its steps on the first run. */
export class FlowIsolate {
  readonly #isolate: ivm.Isolate;
  readonly #steps: readonly FlowStepSource[];
  readonly #columns: SharedColumns;
  readonly #timeout: { readonly timeout: number };
  readonly #load: Call<'load'>;
  readonly #run: Call<'run'>;
  readonly #runDays: Call<'runDays'>;
  readonly #dayFailures: Call<'dayFailures'>;
  readonly #newTexts: Call<'newTexts'>;
  readonly #failures: Call<'failures'>;
  /** A step may fail on readings without failing them: that is told all the same. */
  readonly #isLenient: boolean;
  #loaded = 0;
  /** What the raw columns of days are laid out in; grows with what a run looks at. */
  #windows = new Uint8Array(new SharedArrayBuffer(0));

  constructor(steps: readonly FlowStepSource[], settings: ChildSettings) {
    this.#isolate = new ivm.Isolate({ memoryLimit: settings.isolateMiBMax });
    this.#steps = steps;
    this.#isLenient = steps.some(({ severity = 'terminate' }) => severity !== 'terminate');
    this.#timeout = { timeout: settings.backstopMs };
    const memory = new SharedArrayBuffer(sharedBytes(settings.capacity));
    this.#columns = sharedColumns(memory, settings.capacity);
    const context = this.#isolate.createContextSync();
    const flow = context.evalClosureSync(program, [new ivm.ExternalCopy(memory).copyInto(), JSON.stringify(settings)], {
      result: { reference: true },
    }) as ivm.Reference<IsolateFlow>;
    const call = <Name extends keyof IsolateFlow>(name: Name): Call<Name> => flow.getSync(name, { reference: true });
    this.#load = call('load');
    this.#run = call('run');
    this.#runDays = call('runDays');
    this.#dayFailures = call('dayFailures');
    this.#newTexts = call('newTexts');
    this.#failures = call('failures');
  }

  /** Runs the flow over the batch; undefined when a rule wants the names. `onStep` is called before each step of a traced run. */
  run(request: RunRequest, onStep: (step: number) => void): ResultReply | undefined {
    this.#loadSteps(request.traced ? onStep : undefined);
    this.#fill(request);
    const { traced } = request;
    const stride = traced ? 1 : Math.max(1, this.#steps.length);
    let any = 0;
    for (let step = 0; step < this.#steps.length; step += stride) {
      if (traced) {
        onStep(step);
      }
      this.#columns.control.set([
        request.spans.count.length,
        request.count,
        step,
        step + stride,
        0,
        0,
        step,
        0,
        0,
        0,
        0,
      ]);
      this.#enter(step, () => {
        this.#walk(request);
      });
      any = this.#columns.control[control.any] as number;
      if ((any & namesWantedBit) !== 0) {
        return undefined;
      }
    }
    const { control: told } = this.#columns;
    const isTold = (any & failed) !== 0 || this.#isLenient;
    return {
      any,
      columns: this.#columns,
      count: request.count,
      emitted: request.day === undefined ? 0 : (told[control.emitted] as number),
      spans: request.spans.count.length,
      newTexts: (any & texted) !== 0 ? this.#ask(this.#newTexts) : '',
      failures: isTold ? this.#ask(this.#failures) : '',
      dayFailures: request.day !== undefined && told[control.failedDays] !== 0 ? this.#ask(this.#dayFailures) : '',
    };
  }

  dispose(): void {
    if (!this.#isolate.isDisposed) {
      this.#isolate.dispose();
    }
  }

  #ask(call: Call<'newTexts' | 'failures' | 'dayFailures'>): string {
    return this.#enter(0, () => call.applySync(undefined, [], this.#timeout));
  }

  #loadSteps(onStep: ((step: number) => void) | undefined): void {
    for (; this.#loaded < this.#steps.length; this.#loaded += 1) {
      const step = this.#loaded;
      onStep?.(step);
      const json = stepJson(this.#steps[step] as FlowStepSource, step);
      const problem = this.#enter(step, () => this.#load.applySync(undefined, [json], this.#timeout));
      if (problem !== '') {
        throw new StepError('rule-invalid', step, problem);
      }
    }
  }

  #fill({ count, decimals, values, spans, quality, unit, code, method }: RunRequest): void {
    const columns = this.#columns;
    const divisor = 10 ** decimals;
    for (let index = 0; index < count; index++) {
      columns.values[index] = (values[index] as number) / divisor;
    }
    // Memory that is shared is filled element by element: four readings at a time.
    columns.changeWords.fill(0);
    columns.startMs.set(spans.startMs);
    columns.stepMs.set(spans.stepMs);
    columns.lengthMs.set(spans.lengthMs);
    columns.count.set(spans.count);
    columns.series.set(spans.series);
    expand(quality, columns.quality);
    expand(unit, columns.unit);
    expand(code, columns.code);
    expand(method, columns.method);
  }

  #walk({ texts, names, day }: RunRequest): void {
    try {
      if (day === undefined) {
        this.#run.applySync(undefined, [texts, names], this.#timeout);
      } else {
        this.#runDays.applySync(undefined, [texts, day.factsJson, this.#layOut(day.windows)], this.#timeout);
      }
    } catch (error) {
      // After the work is done only a promise that a rule left behind can fail: it fails nobody.
      if (this.#columns.control[control.done] === 0 || this.#isolate.isDisposed) {
        throw error;
      }
    }
  }

  /** Puts the windows where the isolate sees them; returns that memory where it is another than before. */
  #layOut(windows: Uint8Array): ReturnType<ivm.ExternalCopy<SharedArrayBuffer>['copyInto']> | undefined {
    if (windows.length <= this.#windows.length) {
      this.#windows.set(windows);
      return undefined;
    }
    const memory = new SharedArrayBuffer(windows.length * 2);
    this.#windows = new Uint8Array(memory);
    this.#windows.set(windows);
    return new ivm.ExternalCopy(memory).copyInto();
  }

  #enter<Result>(step: number, call: () => Result): Result {
    const startMs = performance.now();
    try {
      return call();
    } catch (error) {
      if (this.#isolate.isDisposed) {
        throw new IsolateGoneError('the isolate used up its memory', { cause: error });
      }
      const message = error instanceof Error ? error.message : String(error);
      // By the clock, not by the message alone, which is the rule's to choose.
      if (message.includes('timed out') && performance.now() - startMs >= this.#timeout.timeout) {
        throw new BackstopError(message, { cause: error });
      }
      const { control: told } = this.#columns;
      if (told[control.apart] === 1) {
        throw new ApartError(message, { cause: error });
      }
      const code = told[control.nonsense] === 1 ? 'rule-returned-nonsense' : 'rule-threw';
      throw new StepError(code, told[control.step] ?? step, message);
    }
  }
}

function stepJson({ source, ...rest }: FlowStepSource, step: number): string {
  try {
    return JSON.stringify({ body: ruleBody(source), ...rest } satisfies StepSource);
  } catch (error) {
    throw new StepError('rule-invalid', step, (error as Error).message);
  }
}

// Bits of a result that come with texts, and with failures.
const texted = 4 | 8 | 16 | 32 | 64;
const failed = 64;

function expand(runs: Runs, column: Uint8Array | Uint16Array): void {
  let start = 0;
  for (let run = 0; run < runs.ends.length; run++) {
    const end = runs.ends[run] as number;
    column.fill(runs.values[run] as number, start, end);
    start = end;
  }
}

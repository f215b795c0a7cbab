/** Bounded: a tenant, a stage, a topic; never a meter, a key or a message. */
export type Labels = Readonly<Record<string, string>>;
export type LogFields = Readonly<Record<string, unknown>>;

/** ERROR: readings are lost or an operator must act. WARN: something is off, nothing is lost. Nothing per message above debug. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What a span tells of its work: a few short facts; never a reading, a secret or a whole payload. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  /** W3C trace context of what led to this work; without it a new trace begins, where this one is to be traced. */
  readonly parent?: string;
  /** The same of what else led to it. */
  readonly links?: readonly string[];
  readonly attributes?: SpanAttributes;
}

/** One piece of work within a trace. */
export interface Span {
  /** What the messages that come of this work carry as their attribute `traceparent`; undefined where nobody traces it. */
  readonly traceparent: string | undefined;
  /** Called once; with an error where the work failed. */
  end(error?: Error): void;
}

/** Logs, metrics and traces, handed in. Names are `<area>_<noun>_<unit>_[total]`. Never throws. */
export interface Telemetry {
  readonly logger: Logger;
  /** Adds to a counter; 1 unless told. */
  count(name: string, value?: number, labels?: Labels): void;
  /** One observation of a distribution. */
  observe(name: string, value: number, labels?: Labels): void;
  /** Sets what goes up and down. */
  gauge(name: string, value: number, labels?: Labels): void;
  /** Costs next to nothing where traces go nowhere. */
  startSpan(name: string, start?: SpanStart): Span;
}

const nothing = (): void => undefined;

/** The span of work that nobody traces. */
export const untracedSpan: Span = { traceparent: undefined, end: nothing };

/** Tells nobody. */
export const silentTelemetry: Telemetry = {
  logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  count: nothing,
  observe: nothing,
  gauge: nothing,
  startSpan: () => untracedSpan,
};

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

/** Logs and metrics, handed in. Names are `<area>_<noun>_<unit>_[total]`. Never throws. */
export interface Telemetry {
  readonly logger: Logger;
  /** Adds to a counter; 1 unless told. */
  count(name: string, value?: number, labels?: Labels): void;
  /** One observation of a distribution. */
  observe(name: string, value: number, labels?: Labels): void;
  /** Sets what goes up and down. */
  gauge(name: string, value: number, labels?: Labels): void;
}

const nothing = (): void => undefined;

/** Tells nobody. */
export const silentTelemetry: Telemetry = {
  logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  count: nothing,
  observe: nothing,
  gauge: nothing,
};

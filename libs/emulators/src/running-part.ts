export const localhost = '127.0.0.1';

/** A server that was started here. It ends with the process that started it, however that one ends. */
export interface RunningPart {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  readonly pid: number;
  /** Ends it in its own way; by SIGKILL when it takes too long. Resolves when it and its temporary folder are gone. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
}

export interface StartOptions {
  /** A port of one's own choice, as for a restart; without it a free one. */
  readonly port?: number;
}

import type { Telemetry } from '@meterflow/stage';
import type { Cluster, Redis } from 'ioredis';
import { Circuit, CircuitOpenError } from './circuit.ts';
import { runScript, type Script, type ScriptInput } from './script.ts';
import { TimeoutError, within } from './within.ts';

export interface RedisLinkOptions {
  readonly isCluster: boolean;
  readonly telemetry: Telemetry;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** After so long without an answer a call has failed. */
  readonly callMsMax: number;
  /** How long calls are withheld after a failure; doubled each time up to the greatest. */
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** Resolves when the first connection is made, or could not be. */
  readonly opened: Promise<unknown>;
}

/** Runs scripts on a server or a cluster; each part of a cluster that fails is left alone for a while by itself. */
export class RedisLink {
  readonly isCluster: boolean;
  readonly retryMsMax: number;
  readonly #client: Redis | Cluster;
  readonly #options: RedisLinkOptions;
  /** By tag: one, or as many as the subscriptions have shards. */
  readonly #circuits = new Map<string, Circuit>();
  #opening: Promise<unknown> | undefined;

  constructor(client: Redis | Cluster, options: RedisLinkOptions) {
    this.#client = client;
    this.#options = options;
    this.isCluster = options.isCluster;
    this.retryMsMax = options.retryMsMax;
    this.#opening = options.opened;
    this.#tellOutages();
  }

  /** How long ago a call for these keys last failed. */
  steadyMs(tag: string): number {
    return this.#circuit(tag).steadyMs;
  }

  /** The numbers that the script answers. Rejects within `callMsMax`, at once where the last calls failed. */
  async run(tag: string, script: Script, input: ScriptInput): Promise<readonly number[]> {
    const { telemetry } = this.#options;
    try {
      return await this.#circuit(tag).call(() => this.#run(script, input));
    } catch (error) {
      if (error instanceof CircuitOpenError) {
        telemetry.count('dedupe_calls_skipped_total');
      } else {
        telemetry.count('dedupe_calls_failed_total', 1, { reason: reasonOf(error) });
      }
      throw error;
    }
  }

  async #run(script: Script, input: ScriptInput): Promise<readonly number[]> {
    const { callMsMax, nowMs, telemetry } = this.#options;
    if (this.#opening !== undefined) {
      await this.#opening;
      this.#opening = undefined;
    }
    const fromMs = nowMs();
    const answer = await within(callMsMax, runScript(this.#client, script, input));
    telemetry.observe('dedupe_call_duration_ms', nowMs() - fromMs);
    return Array.isArray(answer) ? (answer as number[]) : [];
  }

  #circuit(tag: string): Circuit {
    const known = this.#circuits.get(tag);
    if (known !== undefined) {
      return known;
    }
    const { nowMs, random, retryMs, retryMsMax } = this.#options;
    const onChange = (isOpen: boolean, cause?: unknown): void => {
      this.#changed(isOpen, cause);
    };
    const circuit = new Circuit({ nowMs, random, retryMs, retryMsMax, onChange });
    this.#circuits.set(tag, circuit);
    return circuit;
  }

  /** Said once an outage, whichever part of a cluster it is: nothing is lost by it. */
  #changed(isOpen: boolean, cause: unknown): void {
    const { logger } = this.#options.telemetry;
    const outages = this.#tellOutages();
    if (isOpen && outages === 1) {
      const error = cause instanceof Error ? cause.message : String(cause);
      logger.warn('Redis does not answer; the pipeline goes on without it', { reason: reasonOf(cause), error });
    } else if (outages === 0) {
      logger.info('Redis answers again');
    }
  }

  #tellOutages(): number {
    const outages = [...this.#circuits.values()].filter(({ isOpen }) => isOpen).length;
    this.#options.telemetry.gauge('dedupe_outages_now', outages);
    return outages;
  }
}

type Reason = 'timeout' | 'full' | 'refused' | 'unreachable';

function reasonOf(error: unknown): Reason {
  if (error instanceof TimeoutError) {
    return 'timeout';
  }
  if (!(error instanceof Error)) {
    return 'unreachable';
  }
  if (error.message.includes('OOM command not allowed')) {
    return 'full';
  }
  return error.name === 'ReplyError' ? 'refused' : 'unreachable';
}

import { decimalsMax } from '@meterflow/readings';
import { defaultFlow, failurePolicies, severities, type Activation, type Flow } from '@meterflow/rules';
import { z } from 'zod';
import { instantMsMax } from './instants.ts';
import { parseEntry } from './parse-entry.ts';
import { ruleVersionSchema } from './rule-version-schema.ts';
import { RevisionConflictError, type Registry, type RegistryEntry } from './registry.ts';
import { spansBeside, type Span } from './spans-beside.ts';

/** How old the answer to "which activation is the newest" may be where it stamps a batch. */
export const activationLeaseMsDefault = 5_000;

/** What every tenant has before it activates anything: it changes no value. */
export function initialActivation(tenant: string): Activation {
  return {
    number: 0,
    tenant,
    flow: defaultFlow,
    fromMs: -instantMsMax,
    toMs: instantMsMax,
    createdAtMs: 0,
    decimals: 6,
  };
}

const instant = z.number().min(-instantMsMax).max(instantMsMax);
// Loose: what a newer build adds to an activation must survive being read here.
const activationSchema = z.looseObject({
  number: z.number().int().min(1),
  tenant: z.string(),
  flow: z.looseObject({
    name: z.string(),
    onFailure: z.enum(failurePolicies),
    steps: z.array(
      z.looseObject({
        rule: ruleVersionSchema,
        parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
        channels: z.string(),
        share: z.object({ from: z.number().min(0), to: z.number().max(1) }).exactOptional(),
        severity: z.enum(severities).exactOptional(),
      }),
    ),
  }),
  fromMs: instant,
  toMs: instant,
  createdAtMs: z.number(),
  author: z.string().exactOptional(),
  why: z.string().exactOptional(),
  decimals: z.number().int().min(0).max(decimalsMax),
}) satisfies z.ZodType<Activation>;

export interface ActivationRequest {
  readonly flow: Flow;
  readonly fromMs: number;
  readonly toMs: number;
  readonly decimals: number;
  readonly author?: string;
  readonly why?: string;
}

export interface ActivationsPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  readonly activationLeaseMs: number;
}

const attemptsMax = 20;
const cachedMax = 1_000;
const numberMax = 999_999_999_999;

/** Numbered snapshots of a tenant's flows. A number, once given, always means the same. */
export class Activations {
  readonly #ports: ActivationsPorts;
  readonly #newest = new Map<string, { readonly readAtMs: number; readonly activation: Promise<Activation> }>();
  readonly #byName = new Map<string, Activation>();

  constructor(ports: ActivationsPorts) {
    this.#ports = ports;
  }

  /** Makes the tenant's next activation, durably; two at once get two numbers. */
  create(tenant: string, request: ActivationRequest): Promise<Activation> {
    return this.change(tenant, () => request);
  }

  /**
   * Makes the tenant's next activation, durably, from the newest: of two at once the second decides anew, upon what the
   * first made. What `decide` throws ends the change.
   */
  async change(tenant: string, decide: (newest: Activation) => ActivationRequest): Promise<Activation> {
    const { registry, nowMs } = this.#ports;
    for (let attempt = 1; ; attempt++) {
      const newest = await this.readNewest(tenant);
      const number = newest.number + 1;
      const value = activationSchema.parse({ ...decide(newest), tenant, number, createdAtMs: nowMs() });
      try {
        await registry.put('activation', entryName(tenant, number), { value, expectedRevision: 0 });
        this.#newest.delete(tenant);
        return value;
      } catch (error) {
        if (!(error instanceof RevisionConflictError) || attempt === attemptsMax) {
          throw error;
        }
      }
    }
  }

  /** The tenant's newest activation, known no longer ago than `activationLeaseMs`; {@link initialActivation} before the first. */
  newest(tenant: string): Promise<Activation> {
    const { nowMs, activationLeaseMs } = this.#ports;
    const cached = this.#newest.get(tenant);
    // The lease runs from before the read: what was made during it may be missing from the answer.
    const readAtMs = nowMs();
    if (cached !== undefined && readAtMs - cached.readAtMs < activationLeaseMs) {
      return cached.activation;
    }
    const activation = this.readNewest(tenant);
    forgetOldest(this.#newest);
    this.#newest.set(tenant, { readAtMs, activation });
    activation.catch(() => {
      this.#newest.delete(tenant);
    });
    return activation;
  }

  /** The same, from the registry itself. */
  async readNewest(tenant: string): Promise<Activation> {
    const [newest] = await this.#ports.registry.list('activation', { prefix: `${tenant}/`, limit: 1 });
    return newest === undefined ? initialActivation(tenant) : activationOf(newest);
  }

  /** Undefined for a number that was never given. */
  async get(tenant: string, number: number): Promise<Activation | undefined> {
    if (number === 0) {
      return initialActivation(tenant);
    }
    const name = entryName(tenant, number);
    const cached = this.#byName.get(name);
    if (cached !== undefined) {
      return cached;
    }
    const entry = await this.#ports.registry.get('activation', name);
    if (entry === undefined) {
      return undefined;
    }
    const activation = activationOf(entry);
    forgetOldest(this.#byName);
    this.#byName.set(name, activation);
    return activation;
  }

  /**
   * What counts for any reading in [fromMs, toMs) under the stamp `number`, highest first: for each reading the first one
   * whose span contains it. Together they span them all.
   */
  async counting(
    tenant: string,
    number: number,
    span: { readonly fromMs: number; readonly toMs: number },
  ): Promise<readonly Activation[]> {
    const counting: Activation[] = [];
    let left: readonly Span[] = [span];
    for (let candidate = number; candidate >= 0 && left.length > 0; candidate--) {
      const activation = await this.get(tenant, candidate);
      if (
        activation !== undefined &&
        left.some((each) => activation.fromMs < each.toMs && each.fromMs < activation.toMs)
      ) {
        counting.push(activation);
        left = left.flatMap((each) => spansBeside(each, activation));
      }
    }
    return counting;
  }

  /** Newest first, those below `before`. */
  async list(
    tenant: string,
    page: { readonly limit: number; readonly before?: number },
  ): Promise<readonly Activation[]> {
    const after = page.before === undefined ? {} : { after: entryName(tenant, page.before) };
    const found = await this.#ports.registry.list('activation', { prefix: `${tenant}/`, limit: page.limit, ...after });
    return found.map(activationOf);
  }
}

// Names count down, so that the newest activation is the first of a list, and one put is all it takes to make one.
function entryName(tenant: string, number: number): string {
  return `${tenant}/${(numberMax - number).toString().padStart(12, '0')}`;
}

function activationOf(entry: RegistryEntry<unknown>): Activation {
  return parseEntry(activationSchema, entry);
}

function forgetOldest(cache: Map<string, unknown>): void {
  const [oldest] = cache.keys();
  if (cache.size >= cachedMax && oldest !== undefined) {
    cache.delete(oldest);
  }
}

import { RuleFailureError, type Flow, type FlowStep, type RuleFailureCode } from '@meterflow/rules';

interface GuiltyStep {
  readonly tenant: string;
  readonly step: FlowStep;
  readonly code: RuleFailureCode;
  readonly detail: string;
}

/** Beyond it the oldest are forgotten: such a version kills one more host before it is here again. */
const quarantinedMax = 10_000;

/**
 * Rule versions that killed their host, or held it up for good. They are not run again by this process; what they
 * would have run on fails at once, and their tenant's other flows go on. Each tenant for itself: a rule can use up the
 * time or memory in which another one of its flow, perhaps a stock rule, is then caught, and that must harm nobody else.
 */
export class Quarantine {
  readonly #failures = new Map<string, RuleFailureError>();

  add({ tenant, step, code, detail }: GuiltyStep): RuleFailureError {
    const failure = new RuleFailureError(code, `${stepName(step)}: ${detail}`);
    this.#failures.set(entryName(tenant, step), failure);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > quarantinedMax && oldest !== undefined) {
      this.#failures.delete(oldest);
    }
    return failure;
  }

  /** The failure of the first step whose version is in quarantine for this tenant. */
  failureOf(tenant: string, flow: Flow): RuleFailureError | undefined {
    if (this.#failures.size > 0) {
      for (const step of flow.steps) {
        const failure = this.#failures.get(entryName(tenant, step));
        if (failure !== undefined) {
          return failure;
        }
      }
    }
    return undefined;
  }

  get versions(): readonly string[] {
    return [...this.#failures.keys()].map((name) => name.slice(name.indexOf('/') + 1));
  }
}

function entryName(tenant: string, { rule }: FlowStep): string {
  return `${tenant}/${rule.id}`;
}

export function stepName({ rule }: FlowStep): string {
  return `rule "${rule.name}" (version ${rule.id.slice(0, 12)})`;
}

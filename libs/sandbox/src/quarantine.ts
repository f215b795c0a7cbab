import { RuleFailureError, type Flow, type FlowStep, type RuleFailureCode } from '@meterflow/rules';

/**
 * Rule versions that killed their host, or held it up for good. They are not run again by this process; what they
 * would have run on fails at once, and their tenant's other flows and all other tenants go on.
 */
export class Quarantine {
  readonly #versions = new Map<string, RuleFailureError>();

  add(step: FlowStep, code: RuleFailureCode, detail: string): RuleFailureError {
    const failure = new RuleFailureError(code, `${stepName(step)}: ${detail}`);
    this.#versions.set(step.rule.id, failure);
    return failure;
  }

  /** The failure of the first step whose version is in quarantine. */
  failureOf(flow: Flow): RuleFailureError | undefined {
    if (this.#versions.size > 0) {
      for (const step of flow.steps) {
        const failure = this.#versions.get(step.rule.id);
        if (failure !== undefined) {
          return failure;
        }
      }
    }
    return undefined;
  }

  get versions(): readonly string[] {
    return [...this.#versions.keys()];
  }
}

export function stepName({ rule }: FlowStep): string {
  return `rule "${rule.name}" (version ${rule.id.slice(0, 12)})`;
}

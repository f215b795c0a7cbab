import { Problem } from '@meterflow/http';
import type { AuditedAct, AuditedResult, AuditTrail, Keys, Principal } from '@meterflow/registry';

/** Who did what: the audit trail, and the names that stand in it. */
export class Audited {
  readonly #trail: AuditTrail;
  readonly #keys: Pick<Keys, 'list'>;

  constructor({ trail, keys }: { readonly trail: AuditTrail; readonly keys: Pick<Keys, 'list'> }) {
    this.#trail = trail;
    this.#keys = keys;
  }

  /** Does a step with its line, however it ends. A refusal, which the caller is told of, changed nothing. */
  step<Result>(tenant: string, act: AuditedAct, work: () => Promise<AuditedResult<Result>>): Promise<Result> {
    return this.#trail.step(tenant, act, { work, isRefusal: (error) => error instanceof Problem });
  }

  list(...page: Parameters<AuditTrail['list']>): ReturnType<AuditTrail['list']> {
    return this.#trail.list(...page);
  }

  /** The key's own name, or its id; what a caller says of himself beside it, never in its place. */
  async nameOf({ tenant, keyId }: Principal, author: string | undefined): Promise<string> {
    const keys = keyId === localKeyId ? [] : await this.#keys.list(tenant);
    const label = keys.find((key) => key.keyId === keyId)?.label ?? '';
    const name = label === '' ? keyId : label;
    return author === undefined ? name : `${author} (${name})`;
  }
}

/** Of whoever owns the data directory: there is no key. */
const localKeyId = 'local';

import { z } from 'zod';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry, type RegistryEntry } from './registry.ts';

/** What is kept of every step that changes what readings become. */
export const auditedSteps = [
  'rule-uploaded',
  'rule-activated',
  'rule-retired',
  'activation-rolled-back',
  'reprocess-asked',
  'reprocess-cancelled',
  'dead-letters-retried',
  'dead-letters-purged',
] as const;
export type AuditedStep = (typeof auditedSteps)[number];

/** One step: who did what to what, when and why. */
export interface AuditLine {
  readonly atMs: number;
  /** The name of the API key, or of the user at the machine itself. */
  readonly who: string;
  readonly what: AuditedStep;
  /** `high-use@2`, `activation 7`, … */
  readonly subject: string;
  /** '' where nobody said. */
  readonly why: string;
}

export type AuditedAct = Omit<AuditLine, 'atMs'>;

export const whyCharsMax = 500;

export interface AuditTrailPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** Tells two lines of one millisecond apart: letters and digits. */
  readonly newId: () => string;
}

export interface AuditPage {
  readonly lines: readonly AuditLine[];
  /** What to ask for with `after`; undefined on the last page. */
  readonly next: string | undefined;
}

const lineSchema = z.looseObject({
  atMs: z.number(),
  who: z.string(),
  what: z.enum(auditedSteps),
  subject: z.string(),
  why: z.string(),
});
const atMsMax = 9_999_999_999_999;
const attemptsMax = 5;
const positionPattern = /^\d{13}-[A-Za-z0-9]{1,32}$/;

/** Append-only: a line, once written, is never changed, and there is nothing that removes one. */
export class AuditTrail {
  readonly #ports: AuditTrailPorts;

  constructor(ports: AuditTrailPorts) {
    this.#ports = ports;
  }

  /** Written durably when it resolves. Called once the step is done: a step that was killed may have no line. */
  async add(tenant: string, act: AuditedAct): Promise<void> {
    const { registry, nowMs, newId } = this.#ports;
    const line = lineSchema.parse({ ...act, why: act.why.slice(0, whyCharsMax), atMs: nowMs() });
    for (let attempt = 1; ; attempt++) {
      // Names count down, so that the newest line is the first of a list.
      const position = `${String(atMsMax - Math.floor(line.atMs)).padStart(13, '0')}-${newId()}`;
      try {
        await registry.put('audit', `${tenant}/${position}`, { value: line, expectedRevision: 0 });
        return;
      } catch (error) {
        if (!(error instanceof RevisionConflictError) || attempt === attemptsMax) {
          throw error;
        }
      }
    }
  }

  /** Newest first. */
  async list(tenant: string, page: { readonly limit: number; readonly after?: string }): Promise<AuditPage> {
    const after = page.after === undefined ? {} : { after: `${tenant}/${page.after}` };
    const found = await this.#ports.registry.list('audit', { prefix: `${tenant}/`, limit: page.limit + 1, ...after });
    const shown = found.slice(0, page.limit);
    const last = shown.at(-1);
    const more = found.length > page.limit && last !== undefined;
    return { lines: shown.map(lineOf), next: more ? last.name.slice(tenant.length + 1) : undefined };
  }
}

/** Whether a text may be the `next` of a page. */
export function isAuditPosition(text: string): boolean {
  return positionPattern.test(text);
}

function lineOf(entry: RegistryEntry<unknown>): AuditLine {
  return parseEntry(lineSchema, entry);
}

import { z } from 'zod';
import { entries } from './entries.ts';
import { ignoringConflict } from './ignoring-conflict.ts';
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

/**
 * `done`; `open` while it is being done; or `interrupted`: whoever did it ended in between, or could not tell what became
 * of it, so that it may have been done or not.
 */
export const auditOutcomes = ['done', 'open', 'interrupted'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** One step: who did what to what, when and why. */
export interface AuditLine {
  readonly atMs: number;
  /** The name of the API key, or of the user at the machine itself. */
  readonly who: string;
  readonly what: AuditedStep;
  /** `high-use@2`, `activation 7`, …; of a step that is not done what was asked for. */
  readonly subject: string;
  /** '' where nobody said. */
  readonly why: string;
  readonly outcome: AuditOutcome;
}

export type AuditedAct = Omit<AuditLine, 'atMs' | 'outcome'>;

/** What a step came to, and what stands of it in its line; without a subject nothing was changed, and no line is kept. */
export interface AuditedResult<Result> {
  readonly result: Result;
  readonly subject: string | undefined;
}

export const whyCharsMax = 500;
/** No step takes longer: one that is open for so long was interrupted. */
export const auditedStepMsMax = 10 * 60 * 1000;

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
  outcome: z.enum(auditOutcomes).default('done'),
});
const atMsMax = 9_999_999_999_999;
const attemptsMax = 5;
const positionPattern = /^\d{13}-[A-Za-z0-9]{1,32}$/;
/** No tenant begins with a slash. */
const openPrefix = '/open/';

/** Append-only: a line, once written, is never changed, and there is nothing that removes one. */
export class AuditTrail {
  readonly #ports: AuditTrailPorts;

  constructor(ports: AuditTrailPorts) {
    this.#ports = ports;
  }

  /**
   * Does a step so that its line can't be lost: 1. what is to be done is written, durably, 2. it is done, 3. its line is
   * written, 4. the first goes. Ended in between, {@link closeInterrupted} makes the line. What `work` throws ends the
   * step: where `isRefusal` says that nothing was changed there is no line, else it counts as interrupted.
   */
  async step<Result>(
    tenant: string,
    act: AuditedAct,
    {
      work,
      isRefusal,
    }: { readonly work: () => Promise<AuditedResult<Result>>; readonly isRefusal: (error: unknown) => boolean },
  ): Promise<Result> {
    const { registry, nowMs } = this.#ports;
    const line = lineSchema.parse({ ...act, why: act.why.slice(0, whyCharsMax), atMs: nowMs() });
    const open = await this.#put(`${openPrefix}${tenant}/`, { ...line, outcome: 'open' });
    const forget = (): Promise<void> =>
      ignoringConflict(registry.remove('audit', `${openPrefix}${tenant}/${open.position}`, open.revision));
    let done: AuditedResult<Result>;
    try {
      done = await work();
    } catch (error) {
      if (isRefusal(error)) {
        await forget();
      }
      throw error;
    }
    if (done.subject !== undefined) {
      await this.#put(`${tenant}/`, { ...line, subject: done.subject }, open.position);
    }
    await forget();
    return done.result;
  }

  /** Makes the lines of steps that nobody will end any more. Called again and again; killed in between, it goes on. */
  async closeInterrupted(): Promise<void> {
    const { registry, nowMs } = this.#ports;
    for await (const entry of entries(registry, 'audit', openPrefix)) {
      const line = lineOf(entry);
      if (line.atMs + auditedStepMsMax <= nowMs()) {
        const value = { ...line, outcome: 'interrupted' };
        // There already where it was done, or closed, and only what it began with was left.
        await ignoringConflict(
          registry.put('audit', entry.name.slice(openPrefix.length), { value, expectedRevision: 0 }),
        );
        await ignoringConflict(registry.remove('audit', entry.name, entry.revision));
      }
    }
  }

  /** Newest first; on the first page those that are open before the others. */
  async list(tenant: string, page: { readonly limit: number; readonly after?: string }): Promise<AuditPage> {
    const { registry } = this.#ports;
    const after = page.after === undefined ? {} : { after: `${tenant}/${page.after}` };
    const open =
      page.after === undefined
        ? await registry.list('audit', { prefix: `${openPrefix}${tenant}/`, limit: page.limit })
        : [];
    const found = await registry.list('audit', { prefix: `${tenant}/`, limit: page.limit + 1, ...after });
    const ended = new Set(found.map(({ name }) => name));
    const begun = open.filter(({ name }) => !ended.has(name.slice(openPrefix.length)));
    const shown = found.slice(0, page.limit);
    const last = shown.at(-1);
    const more = found.length > page.limit && last !== undefined;
    return { lines: [...begun, ...shown].map(lineOf), next: more ? last.name.slice(tenant.length + 1) : undefined };
  }

  /** Under a position of its own: `wanted`, or another where that is taken. Names count down: the newest line is the first of a list. */
  async #put(
    prefix: string,
    line: AuditLine,
    wanted?: string,
  ): Promise<{ readonly position: string; readonly revision: number }> {
    const { registry, newId } = this.#ports;
    for (let attempt = 1; ; attempt++) {
      const position =
        attempt === 1 && wanted !== undefined
          ? wanted
          : `${String(atMsMax - Math.floor(line.atMs)).padStart(13, '0')}-${newId()}`;
      try {
        const revision = await registry.put('audit', prefix + position, { value: line, expectedRevision: 0 });
        return { position, revision };
      } catch (error) {
        if (!(error instanceof RevisionConflictError) || attempt === attemptsMax) {
          throw error;
        }
      }
    }
  }
}

/** Whether a text may be the `next` of a page. */
export function isAuditPosition(text: string): boolean {
  return positionPattern.test(text);
}

function lineOf(entry: RegistryEntry<unknown>): AuditLine {
  return parseEntry(lineSchema, entry);
}

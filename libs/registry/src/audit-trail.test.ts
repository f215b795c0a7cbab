import { describe, expect, test } from 'vitest';
import { auditedStepMsMax, AuditTrail, isAuditPosition, type AuditedAct } from './audit-trail.ts';
import { MemoryRegistry } from './testing/index.ts';

const act = (subject: string): AuditedAct => ({ who: 'user-1', what: 'rule-uploaded', subject, why: 'because' });

class KilledError extends Error {}
class RefusedError extends Error {}

function setUp() {
  const registry = new MemoryRegistry();
  const clock = { ms: 1_700_000_000_000 };
  let id = 0;
  /** Of a process that ends instead of its n-th write, or after it. */
  const process = (ends?: { readonly at: number; readonly isWritten: boolean }): AuditTrail => {
    let writes = 0;
    const killing = async <Result>(write: () => Promise<Result>): Promise<Result> => {
      const isLast = ++writes === ends?.at;
      if (isLast && !ends.isWritten) {
        throw new KilledError();
      }
      const result = await write();
      if (isLast) {
        throw new KilledError();
      }
      return result;
    };
    const own = Object.assign(Object.create(registry) as MemoryRegistry, {
      put: (...args: Parameters<MemoryRegistry['put']>) => killing(() => registry.put(...args)),
      remove: (...args: Parameters<MemoryRegistry['remove']>) => killing(() => registry.remove(...args)),
      get: registry.get.bind(registry),
      list: registry.list.bind(registry),
    });
    return new AuditTrail({ registry: own, nowMs: () => clock.ms, newId: () => `id${(id++ / 2) | 0}` });
  };
  const add = (trail: AuditTrail, tenant: string, subject: string): Promise<undefined> =>
    trail.step(tenant, act(subject), {
      work: () => Promise.resolve({ result: undefined, subject }),
      isRefusal: (error) => error instanceof RefusedError,
    });
  return { registry, clock, process, add };
}

test('lines come newest first, page by page, each tenant’s own, none lost of one millisecond', async () => {
  const { clock, process, add } = setUp();
  const trail = process();
  await add(trail, 'acme', 'a');
  await add(trail, 'acme', 'b');
  await add(trail, 'other', 'x');
  clock.ms += 1;
  await add(trail, 'acme', 'c');
  const first = await trail.list('acme', { limit: 1 });
  expect(first.lines).toEqual([{ ...act('c'), atMs: clock.ms, outcome: 'done' }]);
  expect(isAuditPosition(first.next ?? '')).toBe(true);
  const rest = await trail.list('acme', { limit: 5, after: first.next ?? '' });
  expect(rest.lines.map(({ subject }) => subject).sort()).toEqual(['a', 'b']);
  expect(rest.next).toBeUndefined();
});

describe('a step', () => {
  const linesOf = async (trail: AuditTrail): Promise<string[]> =>
    (await trail.list('acme', { limit: 10 })).lines.map(({ subject, outcome }) => `${subject} ${outcome}`);

  test('is open while it is done, and then what it came to', async () => {
    const trail = setUp().process();
    const result = await trail.step('acme', act('what was asked'), {
      work: async () => ({ result: await linesOf(trail), subject: 'what came of it' }),
      isRefusal: () => true,
    });
    expect(result).toEqual(['what was asked open']);
    expect(await linesOf(trail)).toEqual(['what came of it done']);
  });

  test('that is refused, or changes nothing, has no line; one that fails for another reason has', async () => {
    const { process, clock } = setUp();
    const trail = process();
    const isRefusal = (error: unknown): boolean => error instanceof RefusedError;
    const refused = trail.step('acme', act('a'), { work: () => Promise.reject(new RefusedError()), isRefusal });
    await expect(refused).rejects.toThrow(RefusedError);
    await trail.step('acme', act('b'), { work: () => Promise.resolve({ result: 1, subject: undefined }), isRefusal });
    expect(await linesOf(trail)).toEqual([]);
    const failed = trail.step('acme', act('c'), { work: () => Promise.reject(new Error('timeout')), isRefusal });
    await expect(failed).rejects.toThrow('timeout');
    clock.ms += auditedStepMsMax;
    await trail.closeInterrupted();
    expect(await linesOf(trail)).toEqual(['c interrupted']);
  });

  test('killed at any write has its line where it was done, once, and nothing is left open', async () => {
    for (const isWritten of [false, true]) {
      for (let at = 1; at <= 3; at++) {
        const { registry, clock, process } = setUp();
        let done = 0;
        const dying = process({ at, isWritten }).step('acme', act('it'), {
          work: () => Promise.resolve({ result: ++done, subject: 'it' }),
          isRefusal: () => true,
        });
        await expect(dying).rejects.toThrow(KilledError);
        clock.ms += auditedStepMsMax;
        const next = process();
        await next.closeInterrupted();
        await next.closeInterrupted();
        const lines = await linesOf(next);
        const isBegun = at > 1 || isWritten;
        expect(lines).toHaveLength(isBegun ? 1 : 0);
        expect(done === 0 || lines.length === 1).toBe(true);
        expect(await registry.list('audit', { prefix: '/open/', limit: 10 })).toEqual([]);
      }
    }
  });
});

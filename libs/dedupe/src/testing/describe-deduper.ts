import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Claim, Deduper } from '../deduper.ts';

/** A deduper of its own, empty, and a way to let time pass for it. */
export interface DeduperUnderTest {
  readonly deduper: Deduper;
  /** Moves its clock, or waits. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const leaseMs = 2_000;
const doneTtlMs = 4_000;
const marginMs = 200;
const key = 'stage/1/tenant/00112233445566778899aabbccddeeff';
const other = 'stage/1/tenant/ffeeddccbbaa99887766554433221100';
const a = { owner: 'a', leaseMs };
const b = { owner: 'b', leaseMs };
const claimed: Claim = { state: 'claimed', ownerDied: false, deaths: 0 };

/** What every deduper promises, whatever it is made of. */
export function describeDeduper(name: string, open: () => Promise<DeduperUnderTest>): void {
  describe(`${name} as a deduper`, () => {
    let subject: DeduperUnderTest;
    let deduper: Deduper;

    beforeEach(async () => {
      subject = await open();
      deduper = subject.deduper;
    });

    afterEach(() => subject.close());

    const claimOne = async (lease: typeof a): Promise<Claim | undefined> => (await deduper.claim([key], lease))[0];
    const die = async (): Promise<void> => subject.advance(leaseMs + marginMs);

    describe('claims and leases', () => {
      test('a new key is claimed', async () => {
        expect(await claimOne(a)).toEqual(claimed);
      });

      test('a group is answered in its order, each key by itself', async () => {
        await deduper.claim([other], b);
        await deduper.done([other], { owner: 'b', doneTtlMs });
        expect((await deduper.claim([key, other, `${key}0`], a)).map(({ state }) => state)).toEqual([
          'claimed',
          'done',
          'claimed',
        ]);
      });

      test('an empty group is fine for every method', async () => {
        expect(await deduper.claim([], a)).toEqual([]);
        expect(await deduper.renew([], a)).toEqual([]);
        expect(await deduper.done([], { owner: 'a', doneTtlMs })).toEqual([]);
        await deduper.markHandling([], 'a', true);
        await deduper.release([], 'a');
        await deduper.forget([], 'a');
      });

      test('a key leased by a live owner is held, and says until when', async () => {
        await claimOne(a);
        const claim = await claimOne(b);
        expect(claim).toMatchObject({ state: 'held' });
        await die();
        expect(await claimOne(b)).toMatchObject({ state: 'claimed' });
      });

      test('a key is claimed again by its own owner', async () => {
        await claimOne(a);
        expect(await claimOne(a)).toEqual(claimed);
      });

      test('the same key twice in a group is claimed twice', async () => {
        expect(await deduper.claim([key, key], a)).toEqual([claimed, claimed]);
      });

      test('a claim of its own owner after the lease ran out is no death', async () => {
        await claimOne(a);
        await deduper.markHandling([key], 'a', true);
        await die();
        expect(await claimOne(a)).toEqual(claimed);
      });

      test('only one of two owners who claim at once gets the key', async () => {
        const claims = await Promise.all([claimOne(a), claimOne(b)]);
        expect(claims.map((claim) => claim?.state).toSorted()).toEqual(['claimed', 'held']);
      });
    });

    describe('renewal', () => {
      test('a renewed lease holds longer', async () => {
        await claimOne(a);
        await subject.advance(leaseMs * 0.75);
        expect(await deduper.renew([key], a)).toEqual([true]);
        await subject.advance(leaseMs * 0.75);
        expect(await claimOne(b)).toMatchObject({ state: 'held' });
      });

      test('a lease that another took over is lost, and stays the other owner’s', async () => {
        await claimOne(a);
        await die();
        await claimOne(b);
        expect(await deduper.renew([key], a)).toEqual([false]);
        expect(await claimOne(a)).toMatchObject({ state: 'held' });
      });

      test('a key that was never claimed cannot be renewed', async () => {
        expect(await deduper.renew([key], a)).toEqual([false]);
        expect(await claimOne(b)).toEqual(claimed);
      });

      test('a key that is done cannot be renewed', async () => {
        await claimOne(a);
        await deduper.done([key], { owner: 'a', doneTtlMs });
        expect(await deduper.renew([key], a)).toEqual([false]);
      });
    });

    describe('done marks', () => {
      test('a key that is done is done for everyone', async () => {
        await claimOne(a);
        expect(await deduper.done([key], { owner: 'a', doneTtlMs })).toEqual([true]);
        expect(await claimOne(a)).toEqual({ state: 'done' });
        expect(await claimOne(b)).toEqual({ state: 'done' });
      });

      test('a done mark goes after its time, and nothing of the key is left', async () => {
        await claimOne(a);
        await deduper.done([key], { owner: 'a', doneTtlMs });
        await subject.advance(doneTtlMs + marginMs);
        expect(await claimOne(b)).toEqual(claimed);
      });

      test('a done mark outlives the lease', async () => {
        await claimOne(a);
        await deduper.done([key], { owner: 'a', doneTtlMs });
        await die();
        expect(await claimOne(b)).toEqual({ state: 'done' });
      });

      test('a key that another owner holds by now is not marked', async () => {
        await claimOne(a);
        await die();
        await claimOne(b);
        expect(await deduper.done([key], { owner: 'a', doneTtlMs })).toEqual([false]);
        expect(await deduper.done([key], { owner: 'b', doneTtlMs })).toEqual([true]);
      });

      test('a lease that ran out but was not taken over still marks: the outputs are durable', async () => {
        await claimOne(a);
        await die();
        expect(await deduper.done([key], { owner: 'a', doneTtlMs })).toEqual([true]);
        expect(await claimOne(b)).toEqual({ state: 'done' });
      });

      test('a key whose claim was lost with the store is marked all the same', async () => {
        expect(await deduper.done([key], { owner: 'a', doneTtlMs })).toEqual([true]);
        expect(await claimOne(b)).toEqual({ state: 'done' });
      });
    });

    describe('release', () => {
      test('a released key is claimed at once, and nobody died', async () => {
        await claimOne(a);
        await deduper.markHandling([key], 'a', true);
        await deduper.release([key], 'a');
        expect(await claimOne(b)).toEqual(claimed);
      });

      test('only the owner releases', async () => {
        await claimOne(a);
        await deduper.release([key], 'b');
        expect(await claimOne(b)).toMatchObject({ state: 'held' });
      });

      test('what its owner forgets is as if it had never been claimed; a done mark stays', async () => {
        await claimOne(a);
        await deduper.markHandling([key], 'a', true);
        await die();
        expect(await claimOne(b)).toMatchObject({ deaths: 1 });
        await deduper.forget([key], 'a');
        expect(await claimOne(a)).toMatchObject({ state: 'held' });
        await deduper.forget([key], 'b');
        expect(await claimOne(a)).toEqual(claimed);
        await deduper.done([key], { owner: 'a', doneTtlMs });
        await deduper.forget([key], 'a');
        expect(await claimOne(b)).toEqual({ state: 'done' });
      });

      test('a release keeps a done mark and the deaths so far', async () => {
        await deduper.claim([key, other], a);
        await deduper.markHandling([key], 'a', true);
        await die();
        expect(await claimOne(b)).toEqual({ state: 'claimed', ownerDied: true, deaths: 1 });
        await deduper.release([key], 'b');
        expect(await claimOne(a)).toEqual({ state: 'claimed', ownerDied: false, deaths: 1 });
        await deduper.done([other], { owner: 'a', doneTtlMs });
        await deduper.release([other], 'a');
        expect((await deduper.claim([other], b))[0]).toEqual({ state: 'done' });
      });
    });

    describe('deaths', () => {
      test('an owner who let the lease run out died, but only under the mark does it count', async () => {
        await claimOne(a);
        await die();
        expect(await claimOne(b)).toEqual({ state: 'claimed', ownerDied: true, deaths: 0 });
      });

      test('deaths under the mark add up over owners', async () => {
        for (const [index, owner] of ['a', 'b', 'c'].entries()) {
          expect(await claimOne({ owner, leaseMs })).toEqual({
            state: 'claimed',
            ownerDied: index > 0,
            deaths: index,
          });
          await deduper.markHandling([key], owner, true);
          await die();
        }
      });

      test('a death after the mark was cleared does not count', async () => {
        await claimOne(a);
        await deduper.markHandling([key], 'a', true);
        await deduper.markHandling([key], 'a', false);
        await die();
        expect(await claimOne(b)).toEqual({ state: 'claimed', ownerDied: true, deaths: 0 });
      });

      test('the mark of the dead does not count twice', async () => {
        await claimOne(a);
        await deduper.markHandling([key], 'a', true);
        await die();
        await claimOne(b);
        await die();
        expect(await claimOne(a)).toEqual({ state: 'claimed', ownerDied: true, deaths: 1 });
      });

      test('who no longer holds the key cannot mark it', async () => {
        await claimOne(a);
        await die();
        await claimOne(b);
        await deduper.markHandling([key], 'a', true);
        await die();
        expect(await claimOne(a)).toEqual({ state: 'claimed', ownerDied: true, deaths: 0 });
      });

      test('a key that was done and came again after its mark starts without deaths', async () => {
        await claimOne(a);
        await deduper.markHandling([key], 'a', true);
        await die();
        await claimOne(b);
        await deduper.done([key], { owner: 'b', doneTtlMs });
        await subject.advance(doneTtlMs + marginMs);
        expect(await claimOne(a)).toEqual(claimed);
      });
    });
  });
}

import { ledgerLayers, noOutcomes, type Ledger } from '@meterflow/idempotent-writes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Reject } from '../receipt.ts';
import { rejectsShownMax } from '../receipt.ts';
import { ContentConflictError, UnknownSourceError, type AcceptanceRequest, type Sources } from '../sources.ts';
import { ScriptedLedger } from './scripted-ledger.ts';

export interface SourcesAdapter {
  /** Another process's view of the same store. May be called many times. */
  open(options: { readonly ledger: Ledger; readonly nowMs: () => number }): Sources;
  /** Closes what was opened and removes the store. */
  close(): Promise<void>;
}

const request: AcceptanceRequest = {
  tenant: 'acme',
  kind: 'request',
  identity: 'key-1',
  contentHash: 'a'.repeat(64),
  label: 'may.csv',
  mapping: 'plain@1',
  sourceVersion: 0,
  activation: 7,
  nowMs: Date.UTC(2026, 0, 1),
  readingsPerBatch: 2_000,
  startsFromMs: 5_000,
  intervalLengths: 'a1',
  refusesUnknown: true,
};

const rejectAt = (line: number, code = 'invalid-value'): Reject => ({
  line,
  column: 'value',
  code,
  reason: 'not a number',
  text: `line ${line}`,
});

/** What every adapter of `Sources` holds. Each test gets a store of its own. */
export function describeSources(name: string, makeAdapter: () => Promise<SourcesAdapter>): void {
  describe(`${name} as Sources`, () => {
    let adapter: SourcesAdapter;
    let ledger: ScriptedLedger;
    let sources: Sources;
    let nowMs: number;
    const reopen = (): Sources => adapter.open({ ledger, nowMs: () => nowMs });

    beforeEach(async () => {
      adapter = await makeAdapter();
      ledger = new ScriptedLedger();
      nowMs = request.nowMs + 10_000;
      sources = reopen();
    });
    afterEach(() => adapter.close());

    const closing = (counts: Partial<Record<'batches' | 'received' | 'accepted' | 'rejected', number>> = {}) => ({
      batches: 2,
      received: 11,
      accepted: 10,
      rejected: 1,
      atMs: nowMs,
      ...counts,
    });

    describe('an acceptance', () => {
      test('is found again by another process, and its unfinished delivery is resumed as it was', async () => {
        const first = await sources.accept(request);
        const again = await reopen().accept({
          ...request,
          nowMs: nowMs + 1,
          mapping: 'plain@2',
          activation: 9,
          readingsPerBatch: 1,
          startsFromMs: 9_000,
          intervalLengths: 'b2',
          refusesUnknown: false,
        });
        expect(first).toMatchObject({ resumed: false, refusesUnknown: true });
        expect(again).toEqual({ ...first, resumed: true });
        expect(again.acceptance).toMatchObject({
          acceptedAtMs: request.nowMs,
          mapping: 'plain@1',
          activation: 7,
          readingsPerBatch: 2_000,
          startsFromMs: 5_000,
          intervalLengths: 'a1',
        });
      });

      test('that is finished gets the next delivery number and keeps its acceptance time', async () => {
        const first = await sources.accept(request);
        await sources.close(first.sourceId, closing());
        const second = await sources.accept({ ...request, nowMs: nowMs + 5, refusesUnknown: false });
        expect(second).toMatchObject({ resumed: false, acceptance: first.acceptance, refusesUnknown: false });
        expect(second.sourceId).toBe(`${first.acceptance.id}.2`);
        expect(first.sourceId).toBe(`${first.acceptance.id}.1`);
        expect((await sources.accept(request)).sourceId).toBe(second.sourceId);
      });

      test('of a name is found again when it is finished, instead of being followed by the next', async () => {
        const named = { ...request, delivery: 'first try' };
        const first = await sources.accept(named);
        expect(first).toMatchObject({ resumed: false, finished: false });
        expect(await sources.accept(named)).toEqual({ ...first, resumed: true });
        await sources.close(first.sourceId, closing());
        expect(await reopen().accept(named)).toEqual({ ...first, resumed: false, finished: true });
        const second = await sources.accept({ ...request, delivery: 'another' });
        expect(second).toMatchObject({ resumed: false, finished: false });
        expect(second.sourceId).not.toBe(first.sourceId);
        expect((await sources.accept(named)).sourceId).toBe(first.sourceId);
      });

      test('that is unfinished is resumed under any name, and then found under each', async () => {
        const first = await sources.accept({ ...request, delivery: 'a' });
        expect(await sources.accept({ ...request, delivery: 'b' })).toEqual({ ...first, resumed: true });
        await sources.close(first.sourceId, closing());
        for (const delivery of ['a', 'b']) {
          expect(await sources.accept({ ...request, delivery })).toMatchObject({
            sourceId: first.sourceId,
            finished: true,
          });
        }
      });

      test('is one for all who ask at the same time', async () => {
        const deliveries = await Promise.all(Array.from({ length: 8 }, () => reopen().accept(request)));
        expect(new Set(deliveries.map(({ sourceId }) => sourceId)).size).toBe(1);
        expect(deliveries.filter(({ resumed }) => !resumed)).toHaveLength(1);
      });

      test('is another for another tenant, kind or identity', async () => {
        const ids = new Set<string>();
        for (const other of [{}, { tenant: 'other' }, { kind: 'file' as const }, { identity: 'key-2' }]) {
          ids.add((await sources.accept({ ...request, ...other })).acceptance.id);
        }
        expect(ids.size).toBe(4);
      });

      test('has an id that is short and safe in a URL', async () => {
        expect((await sources.accept(request)).sourceId).toMatch(/^[0-9A-Za-z]{8,32}\.1$/);
      });

      test('of a request refuses other content, before and after it is finished', async () => {
        const { sourceId } = await sources.accept(request);
        const other = { ...request, contentHash: 'b'.repeat(64) };
        await expect(sources.accept(other)).rejects.toThrow(ContentConflictError);
        await sources.close(sourceId, closing());
        await expect(sources.accept(other)).rejects.toThrow(ContentConflictError);
        expect((await sources.accept(request)).sourceId).toContain('.2');
      });
    });

    describe('rejects', () => {
      test('are kept once for each line, in the order of the lines, page by page', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.reject(sourceId, [rejectAt(30), rejectAt(10)]);
        await reopen().reject(sourceId, [rejectAt(20), rejectAt(10, 'another-reason')]);
        const all = await sources.rejects('acme', sourceId, { limit: 100, afterLine: 0 });
        expect(all).toEqual([rejectAt(10), rejectAt(20), rejectAt(30)]);
        expect(await sources.rejects('acme', sourceId, { limit: 1, afterLine: 10 })).toEqual([rejectAt(20)]);
      });

      test('are as many as there are, in whatever portions they come', async () => {
        const { sourceId } = await sources.accept(request);
        const lines = Array.from({ length: 2_600 }, (_, index) => rejectAt(index * 2 + 1));
        await sources.reject(sourceId, lines.slice(0, 1_700));
        await reopen().reject(sourceId, lines.slice(900, 2_000));
        await sources.reject(sourceId, lines.slice(2_000));
        expect(await sources.rejects('acme', sourceId, { limit: 3_000, afterLine: 0 })).toEqual(lines);
        expect(await sources.rejects('acme', sourceId, { limit: 3, afterLine: 2_001 })).toEqual(
          lines.slice(1_001, 1_004),
        );
        expect((await sources.receipt('acme', sourceId))?.rejected).toBe(lines.length);
      });

      test('of another tenant are not to be had', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.reject(sourceId, [rejectAt(1)]);
        expect(await sources.rejects('other', sourceId, { limit: 100, afterLine: 0 })).toEqual([]);
      });

      test('and the end of a source that was never accepted are refused', async () => {
        await expect(sources.reject('nowhere.1', [rejectAt(1)])).rejects.toThrow(UnknownSourceError);
        await expect(sources.close('nowhere.1', closing())).rejects.toThrow(UnknownSourceError);
      });
    });

    describe('remarks', () => {
      test('are kept beside the rejects, once for each line, and counted by the closing', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.remark(sourceId, [rejectAt(7, 'gap'), rejectAt(5, 'repeated')]);
        await reopen().remark(sourceId, [rejectAt(5, 'gap'), rejectAt(9, 'gap')]);
        await sources.reject(sourceId, [rejectAt(6)]);
        expect(await sources.receipt('acme', sourceId)).toMatchObject({
          repeated: 0,
          gaps: 0,
          missing: 0,
          rejected: 1,
        });
        await sources.close(sourceId, { ...closing(), remarked: { repeated: 1, gaps: 2, missing: 50, assumed: 3 } });
        const all = [rejectAt(5, 'repeated'), rejectAt(7, 'gap'), rejectAt(9, 'gap')];
        expect(await sources.remarks('acme', sourceId, { limit: 9, afterLine: 0 })).toEqual(all);
        expect(await sources.remarks('acme', sourceId, { limit: 1, afterLine: 5 })).toEqual([all[1]]);
        expect(await sources.remarks('other', sourceId, { limit: 9, afterLine: 0 })).toEqual([]);
        const receipt = await reopen().receipt('acme', sourceId);
        expect(receipt).toMatchObject({
          repeated: 1,
          gaps: 2,
          missing: 50,
          assumed: 3,
          remarks: all,
          rejects: [rejectAt(6)],
        });
        await expect(sources.remark('nowhere.1', all)).rejects.toThrow(UnknownSourceError);
      });
    });

    describe('a receipt', () => {
      test('shows the first rejects and counts all of them', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.reject(
          sourceId,
          Array.from({ length: rejectsShownMax + 5 }, (_, index) => rejectAt(index + 1)),
        );
        const receipt = await sources.receipt('acme', sourceId);
        expect(receipt).toMatchObject({ state: 'receiving', label: 'may.csv', rejected: rejectsShownMax + 5 });
        expect(receipt?.rejects.map(({ line }) => line)).toEqual(
          Array.from({ length: rejectsShownMax }, (_, index) => index + 1),
        );
      });

      test('is complete only when it is closed and every layer accounts for every batch', async () => {
        const { sourceId } = await sources.accept(request);
        const state = async () => (await sources.receipt('acme', sourceId))?.state;
        ledger.sayAll(sourceId, { batchesStored: 2 });
        expect(await state()).toBe('receiving');
        await sources.close(sourceId, closing());
        for (const layer of ledgerLayers) {
          ledger.say(sourceId, layer, { batchesStored: 1 });
          expect(await state()).toBe('processing');
          ledger.say(sourceId, layer, { batchesStored: 1, batchesParked: 1 });
          expect(await state()).toBe('complete');
        }
      });

      test('is not complete where a layer has more batches than were closed: one could stand in for a missing one', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.close(sourceId, closing());
        ledger.sayAll(sourceId, { batchesStored: 2 });
        ledger.say(sourceId, 'day', { batchesStored: 2, batchesDead: 1 });
        expect((await sources.receipt('acme', sourceId))?.state).toBe('processing');
        ledger.say(sourceId, 'day', { batchesStored: 2 });
        expect((await sources.receipt('acme', sourceId))?.state).toBe('complete');
      });

      test('of a source without a single good line is complete once it is closed', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.close(sourceId, closing({ batches: 0, accepted: 0, received: 1 }));
        expect(await sources.receipt('acme', sourceId)).toMatchObject({ state: 'complete', accepted: 0, rejected: 1 });
      });

      test('counts readings at the raw layer and windows at hour, day and month', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.close(sourceId, closing());
        const counts = { inserted: 5, superseded: 2, shadowed: 1, duplicate: 1, conflict: 1 };
        ledger.say(sourceId, 'raw', { batchesStored: 2, counts });
        ledger.say(sourceId, 'validated', { batchesStored: 2, counts: { ...noOutcomes, inserted: 999 } });
        ledger.say(sourceId, 'hour', { batchesStored: 2, counts: { ...noOutcomes, inserted: 100, duplicate: 50 } });
        ledger.say(sourceId, 'day', { batchesStored: 2, counts: { ...noOutcomes, superseded: 10 } });
        ledger.say(sourceId, 'month', { batchesStored: 2, counts: { ...noOutcomes, inserted: 1 } });
        const receipt = await sources.receipt('acme', sourceId);
        expect(receipt).toMatchObject({
          state: 'complete',
          received: 11,
          accepted: 10,
          rejected: 1,
          inserted: 5,
          superseded: 2,
          shadowed: 1,
          duplicates: 1,
          conflicts: 1,
          aggregatesWritten: 111,
          batches: 2,
        });
      });

      test('is kept once it is final, and stays open while something of it may be retried', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.close(sourceId, closing());
        ledger.sayAll(sourceId, { batchesStored: 1, batchesDead: 1, lastAtMs: request.nowMs + 4_000 });
        expect(await sources.receipt('acme', sourceId)).toMatchObject({ state: 'complete', batchesDead: 1 });
        ledger.sayAll(sourceId, { batchesStored: 2, lastAtMs: request.nowMs + 12_000 });
        const final = await sources.receipt('acme', sourceId);
        expect(final).toMatchObject({ state: 'complete', batchesDead: 0, seconds: 12 });
        const asked = ledger.asked;
        nowMs += 60_000;
        expect(await reopen().receipt('acme', sourceId)).toEqual(final);
        expect(ledger.asked).toBe(asked);
      });

      test('is not changed by a second closing', async () => {
        const { sourceId } = await sources.accept(request);
        await sources.close(sourceId, closing());
        await sources.close(sourceId, closing({ batches: 3, accepted: 99 }));
        expect(await sources.receipt('acme', sourceId)).toMatchObject({ accepted: 10, batches: 2 });
      });

      test('of another tenant, or of nothing, is not to be had', async () => {
        const { sourceId } = await sources.accept(request);
        expect(await sources.receipt('other', sourceId)).toBeUndefined();
        expect(await sources.receipt('acme', 'nothing.1')).toBeUndefined();
      });
    });

    test('a day counts what its closings accepted, once each, whoever looks', async () => {
      const day = nowMs;
      const { sourceId } = await sources.accept(request);
      expect(await sources.acceptedOn('acme', day)).toBe(0);
      await sources.close(sourceId, closing());
      await sources.close(sourceId, closing());
      const next = await sources.accept(request);
      await reopen().close(next.sourceId, closing({ accepted: 7 }));
      expect(await reopen().acceptedOn('acme', day)).toBe(17);
      expect(await sources.acceptedOn('acme', day + 86_400_000)).toBe(0);
      expect(await sources.acceptedOn('other', day)).toBe(0);
    });

    test('a list has the newest deliveries of the tenant first, page by page', async () => {
      const ids: string[] = [];
      for (const identity of ['1', '2', '3']) {
        ids.push((await sources.accept({ ...request, identity })).sourceId);
      }
      const foreign = await sources.accept({ ...request, tenant: 'other' });
      const listed = async (page: { limit: number; before?: string }) =>
        (await sources.list('acme', page)).map(({ sourceId }) => sourceId);
      expect(await listed({ limit: 100 })).toEqual([...ids].reverse());
      expect(await listed({ limit: 2 })).toEqual([ids[2], ids[1]]);
      expect(await listed({ limit: 2, before: ids[1]! })).toEqual([ids[0]]);
      expect(await listed({ limit: 2, before: foreign.sourceId })).toEqual([ids[2], ids[1]]);
    });
  });
}

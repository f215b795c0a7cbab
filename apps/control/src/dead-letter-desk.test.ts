import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeReadingBatch, encodeReadingBatch, payloadKey } from '@meterflow/contracts';
import { dataDirectory, openDeadLetters } from '@meterflow/embedded';
import { initialActivation } from '@meterflow/registry';
import { sampleBatch } from '@meterflow/rules/testing';
import type { DeadLetter, OutgoingMessage } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deadLetterDesk } from './dead-letter-desk.ts';

const accepted = encodeReadingBatch(sampleBatch({ tenant: 'acme' }));
const key = payloadKey(accepted);
const cause = { sourceId: decodeReadingBatch(accepted).sourceId, key, part: 0, parts: 1 };
const letter: DeadLetter = {
  id: `rule-execution/acme/${key}`,
  state: 'parked',
  stage: 'rule-execution',
  subscription: 'rule-execution.live',
  key: `acme/${key}`,
  tenant: 'acme',
  reasonCode: 'rule-threw',
  reason: 'the flow halts',
  payload: accepted,
  attributes: {},
  atMs: 1,
  causes: [cause],
  layers: ['validated', 'hour', 'day', 'month'],
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'desk-'));
});
afterEach(() => rm(root, { recursive: true }));

async function retried(letters: readonly DeadLetter[]): Promise<readonly OutgoingMessage[]> {
  const deadLetters = openDeadLetters({ directory: dataDirectory(root) });
  const published: OutgoingMessage[] = [];
  const publish = (messages: readonly OutgoingMessage[]): Promise<void> => {
    published.push(...messages);
    return Promise.resolve();
  };
  const readNewest = (tenant: string): Promise<ReturnType<typeof initialActivation>> =>
    Promise.resolve({ ...initialActivation(tenant), number: 9 });
  await deadLetters.put(letters);
  const ids = letters.map(({ id }) => id);
  expect(await deadLetterDesk({ deadLetters, publisher: { publish }, activations: { readNewest } }).retry(ids)).toEqual(
    ids,
  );
  deadLetters.close();
  return published;
}

test('a batch that is sent again has the newest stamp, and counts for the accepted batch that it was', async () => {
  const [message] = await retried([letter]);
  expect(decodeReadingBatch(message?.payload ?? new Uint8Array())).toMatchObject({ activation: 9, cause });
});

test('what could not be decoded goes as it is, and keeps no other from being sent again', async () => {
  const broken = { ...letter, id: 'rule-execution/broken', reasonCode: 'message-truncated', causes: [], layers: [] };
  const messages = await retried([{ ...broken, payload: Uint8Array.of(10, 200, 1) }, letter]);
  expect(messages.map(({ payload }) => payload.length)).toContain(3);
  expect(messages).toHaveLength(2);
});

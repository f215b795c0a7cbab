import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { csvHeader, csvLines, IngestStand, push } from './testing/ingest-stand.ts';

const bad = 80_001;
const small = csvHeader + csvLines(4);
/** How often others are served while it comes in: in one go, it would be none. */
const servedMin = 5;

describe('while one tenant brings nothing but bad lines', () => {
  let stand: IngestStand;
  beforeEach(async () => {
    stand = await IngestStand.open();
  });
  afterEach(() => stand.close());

  test.each([
    ['application/json', `[${'{},'.repeat(bad - 1)}{}]`],
    ['application/x-ndjson', '{}\n'.repeat(bad)],
    ['application/x-ndjson', '}\n'.repeat(bad)],
    ['text/csv', csvHeader + 'x\n'.repeat(bad)],
    ['text/csv', csvHeader + 'm,c,2024-01-01T00:00:00Z,2024-01-01T00:30:00Z,0.12345678901,kWh\n'.repeat(bad)],
    ['text/csv', csvHeader + 'm,c,1914-01-01T00:00:00Z,1914-01-01T00:30:00Z,1,kWh\n'.repeat(bad)],
  ])('as %s, another is answered (%#)', async (type, body) => {
    const [busy, other] = [await stand.key('busy'), await stand.key('other')];
    const progress = { isDone: false };
    const flood = push(stand, busy, { body, type }).finally(() => {
      progress.isDone = true;
    });
    let served = 0;
    while (!progress.isDone) {
      const answer = await push(stand, other, { body: small });
      expect(answer.json).toMatchObject({ accepted: 4 });
      served += 1;
    }
    expect((await flood).json).toMatchObject({ received: bad, accepted: 0, rejected: bad, rejectsListed: bad });
    expect(served).toBeGreaterThanOrEqual(servedMin);
  });
});

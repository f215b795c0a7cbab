import { BatchBuilder, rawVersion, ReadingRow, type Layer } from '@meterflow/readings';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { controlRig, type ControlRig } from '../testing/control-rig.ts';

const quarterMs = 900_000;
/** The day on which clocks in Zurich go forward. */
const startMs = Date.UTC(2024, 2, 31);
const firstMs = Date.UTC(2024, 3, 1);
const secondMs = Date.UTC(2024, 3, 3);
const large = 9_007_199_254_740_991;

let writes = 0;

/** The day's quarters under one acceptance, the first `large`, in billionths; all of them `integer` in the end. */
async function accept(
  rig: ControlRig,
  { layer, acceptedAtMs, values }: { layer: Layer; acceptedAtMs: number; values: readonly number[] },
) {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  row.series = builder.series('m 1, "a"', 'import');
  row.unit = builder.text('kWh');
  row.version = builder.version(rawVersion(0, acceptedAtMs));
  row.lengthMs = quarterMs;
  row.decimals = 9;
  values.forEach((integer, index) => {
    row.startMs = startMs + index * quarterMs;
    row.quality = index % 2;
    row.integer = integer;
    builder.append(row);
  });
  writes += 1;
  const key = String(writes).repeat(32).slice(0, 32);
  const cause = { sourceId: `s.${writes}`, key, part: 0, parts: 1 };
  const header = { tenant: 'acme', layer, sourceId: cause.sourceId, acceptedAtMs, activation: 0 };
  const batch = builder.finish(layer === 'raw' ? header : { ...header, cause });
  await rig.platform.readings(layer).write([{ key, batch }]);
}

describe('queries as tables', () => {
  let rig: ControlRig;
  let url: string;
  beforeAll(async () => {
    rig = await controlRig();
    url = await rig.server.listen({ host: '127.0.0.1', port: 0 });
    await accept(rig, { layer: 'validated', acceptedAtMs: firstMs, values: [large, 1, 2, 3] });
    await accept(rig, { layer: 'validated', acceptedAtMs: secondMs, values: [large, 1, 2, 4] });
  });
  afterAll(async () => {
    await rig.server.close();
    await rig.close();
  });

  const ask = (path: string, more: string, accept?: string): Promise<Response> =>
    fetch(`${url}${path}?meter=${encodeURIComponent('m 1, "a"')}&channel=import&from=2024-03-31&to=2024-04-01${more}`, {
      headers: {
        authorization: `Bearer ${rig.keys.acme.customer}`,
        ...(accept === undefined ? {} : { accept }),
      },
    });

  test('CSV quotes what it must, keeps every digit, and shows the clocks of the zone with their offset', async () => {
    const answer = await ask('/v1/readings', '&format=csv&zone=Europe/Zurich&quality=measured');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect((await answer.text()).split('\r\n')).toEqual([
      'meter,channel,start,end,value,unit,quality,method,reason,version',
      '"m 1, ""a""",import,2024-03-31T01:00:00+01:00,2024-03-31T01:15:00+01:00,9007199.254740991,kWh,measured,,,',
      '"m 1, ""a""",import,2024-03-31T01:30:00+01:00,2024-03-31T01:45:00+01:00,0.000000002,kWh,measured,,,',
      '',
    ]);
  });

  test('a date alone is one of the zone whose clocks the answer shows, an instant stays what it is', async () => {
    const startsOf = async (zone: string, more = ''): Promise<readonly string[]> => {
      const { readings } = (await (await ask('/v1/readings', `&zone=${zone}${more}`)).json()) as {
        readings: { start: string }[];
      };
      return readings.map(({ start }) => start);
    };
    expect((await startsOf('Europe/Zurich'))[0]).toBe('2024-03-31T01:00:00+01:00');
    // 31 March begins there at 07:00 of UTC, when all of these have been.
    expect(await startsOf('America/Los_Angeles')).toEqual([]);
    expect(await startsOf('UTC', '&asOf=2024-04-01')).toHaveLength(4);
    expect(await startsOf('Europe/Zurich', '&asOf=2024-04-01')).toEqual([]);
    expect(await startsOf('Europe/Zurich', '&asOf=2024-04-01T00:00:00Z')).toHaveLength(4);
  });

  test('Arrow comes as a stream, with instants in the zone', async () => {
    const answer = await ask(
      '/v1/readings',
      '&zone=Europe/Zurich',
      'application/vnd.apache.arrow.stream, text/csv;q=0.5',
    );
    expect(answer.headers.get('content-type')).toBe('application/vnd.apache.arrow.stream');
    const bytes = Buffer.from(await answer.arrayBuffer());
    // A stream begins with the mark of a message, and ends with one of no length.
    expect([bytes.readUInt32LE(0), bytes.readBigUInt64LE(bytes.length - 8)]).toEqual([0xffff_ffff, 0xffff_ffffn]);
    expect(bytes.includes('Europe/Zurich')).toBe(true);
  });

  test('Parquet comes as a whole file', async () => {
    const answer = await ask('/v1/readings', '&format=parquet', 'text/csv');
    expect(answer.headers.get('content-type')).toBe('application/vnd.apache.parquet');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', bytes.length - 4)]).toEqual(['PAR1', 'PAR1']);
  });

  test('an empty span is an empty table in every format', async () => {
    const empty = '&quality=substituted&format=';
    expect((await (await ask('/v1/readings', `${empty}csv`)).text()).split('\r\n')).toHaveLength(2);
    expect((await ask('/v1/readings', `${empty}arrow`)).status).toBe(200);
    expect((await ask('/v1/readings', `${empty}parquet`)).status).toBe(200);
  });

  test('readings as they were known: none before the first acceptance, then each until it was corrected', async () => {
    const valuesAt = async (instant: string): Promise<unknown[]> => {
      const { readings } = (await (await ask('/v1/readings', `&asOf=${instant}`)).json()) as {
        readings: { value: number }[];
      };
      return readings.map(({ value }) => value).slice(1);
    };
    expect(await valuesAt('2024-03-31')).toEqual([]);
    expect(await valuesAt('2024-04-02')).toEqual([1e-9, 2e-9, 3e-9]);
    expect(await valuesAt('2024-04-03')).toEqual([1e-9, 2e-9, 4e-9]);
  });

  test('aggregates as they were known are those of the readings that were known', async () => {
    const sumAt = async (instant: string, resolution: string): Promise<string> =>
      (await (await ask('/v1/aggregates', `&format=csv&resolution=${resolution}&asOf=${instant}`)).text())
        .split('\r\n')
        .slice(1, -1)
        .map((line) =>
          line
            .replace(/^".*?",/, '')
            .split(',')
            .slice(1, 5)
            .join(' '),
        )
        .join('; ');
    expect(await sumAt('2024-04-02', 'hour')).toBe('hour 2024-03-31T00:00:00Z 2024-03-31T01:00:00Z 9007199.254740997');
    expect(await sumAt('2024-04-03', 'day')).toBe('day 2024-03-31T00:00:00Z 2024-04-01T00:00:00Z 9007199.254740998');
    expect(await sumAt('2024-03-31', 'day')).toBe('');
  });

  test('what can not be answered is refused with what to do', async () => {
    const refused = async (path: string, more: string, accept?: string): Promise<[number, string]> => {
      const answer = await ask(path, more, accept);
      return [answer.status, JSON.stringify(await answer.json())];
    };
    expect(await refused('/v1/readings', '&asOf=2999-01-01')).toEqual([400, expect.stringContaining('has passed')]);
    expect(await refused('/v1/readings', '&zone=Mars/Olympus')).toEqual([400, expect.stringContaining('time zone')]);
    expect(await refused('/v1/readings', '&format=csv&limit=5')).toEqual([400, expect.stringContaining('`limit`')]);
    expect(await refused('/v1/readings', '&format=xls')).toEqual([400, expect.stringContaining('format')]);
    expect(await refused('/v1/readings', '&quality=good')).toEqual([400, expect.stringContaining('quality')]);
    expect(await refused('/v1/aggregates', '', 'image/png')).toEqual([406, expect.stringContaining('`format`')]);
  });
});

import { expect, test } from 'vitest';
import { SeriesEnds } from './index.ts';
import { MemoryRegistry } from './testing/index.ts';

const name = { meter: 'a/b', channel: 'import' };
const end = (integer: number) => ({ endMs: integer * 1_000, endOffsetMs: 0, integer, decimals: 0 });
const asking = (acceptance: string, isFirst = true) => ({ tenant: 'acme', acceptance, isFirst });

function setUp() {
  const ends = new SeriesEnds(new MemoryRegistry());
  const before = async (acceptance: string, isFirst = true) =>
    (await ends.fix(asking(acceptance, isFirst), [name])).map((at) => at.end);
  const settle = (acceptance: string, integer: number) =>
    ends.settle(asking(acceptance), [{ name, end: end(integer) }]);
  return { ends, before, settle };
}

test('a source goes on where the one before it ended', async () => {
  const { before, settle } = setUp();
  expect(await before('one')).toEqual([undefined]);
  await settle('one', 10);
  expect(await before('two')).toEqual([end(10)]);
});

test('each delivery of an acceptance goes on from the same end, whatever has come since', async () => {
  const { before, settle } = setUp();
  await before('one');
  await settle('one', 10);
  await before('two');
  await before('three');
  await settle('three', 30);
  expect(await before('two', false)).toEqual([end(10)]);
  await settle('two', 20);
  await settle('two', 99);
  expect(await before('one', false)).toEqual([undefined]);
  expect(await before('four')).toEqual([end(20)]);
});

test('one that was refused goes on, when it comes again, from where the series stands then', async () => {
  const { ends, before, settle } = setUp();
  await before('early');
  await ends.refuse(asking('early'), [name]);
  await before('one');
  await settle('one', 10);
  expect(await before('early', false)).toEqual([end(10)]);
  await settle('early', 20);
  expect(await before('two')).toEqual([end(20)]);
});

test('one that is older than all that is remembered moves nothing', async () => {
  const { before, settle } = setUp();
  for (let number = 1; number <= 40; number++) {
    await before(String(number));
    await settle(String(number), number);
  }
  expect(await before('1', false)).toEqual([end(40)]);
  await settle('1', 1);
  expect(await before('new')).toEqual([end(40)]);
});

test('what is erased of a tenant, a meter or a channel is forgotten, and nothing else', async () => {
  const ends = new SeriesEnds(new MemoryRegistry());
  const names = ['import', 'export'].flatMap((channel) => ['m1', 'm2'].map((meter) => ({ meter, channel })));
  const known = async (acceptance: string) =>
    (await ends.fix(asking(acceptance), names)).flatMap((at) =>
      at.end === undefined ? [] : [`${at.name.meter} ${at.name.channel}`],
    );
  await ends.fix(asking('one'), names);
  await ends.settle(
    asking('one'),
    names.map((each) => ({ name: each, end: end(10) })),
  );
  await ends.erase('other');
  await ends.erase('acme', { meter: 'm1', channel: 'import' });
  expect(await known('two')).toEqual(['m2 import', 'm1 export', 'm2 export']);
  await ends.erase('acme', { meter: 'm2' });
  expect(await known('three')).toEqual(['m1 export']);
  await ends.erase('acme');
  expect(await known('four')).toEqual([]);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FatalError, TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, storeError, transaction } from './database.ts';

let folder: string;
let file: string;
const options = { schema: 'create table t (a blob) strict', formatVersion: 3, durability: 'full' } as const;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meterflow-database-'));
  file = join(folder, 'deep', 'file.sqlite');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function errorOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return storeError(error, file);
  }
  throw new Error('it did not fail');
}

test('a file is made with its folder, and found again', () => {
  const first = openDatabase(file, options);
  first.prepare('insert into t values (?)').run(new Uint8Array([1]));
  first.close();
  const second = openDatabase(file, options);
  expect(second.prepare('select count(*) as n from t').get()).toEqual({ n: 1 });
  second.close();
});

test('a file of another format is refused', () => {
  openDatabase(file, options).close();
  expect(() => openDatabase(file, { ...options, formatVersion: 4 })).toThrow('has format 3; this build reads 4');
});

test('a full disk is transient, takes back the transaction, and is over when there is room', () => {
  const database = openDatabase(file, options);
  const insert = database.prepare('insert into t values (?)');
  insert.run(new Uint8Array(1_000));
  database.exec('pragma max_page_count = 5');
  const error = errorOf(() => {
    transaction(database, () => {
      insert.run(new Uint8Array(2_000));
      insert.run(new Uint8Array(100_000));
    });
  });
  expect(error).toBeInstanceOf(TransientError);
  expect(error.message).toContain(`The disk of ${file} is full`);
  expect(database.prepare('select count(*) as n from t').get()).toEqual({ n: 1 });
  database.exec('pragma max_page_count = 1000');
  insert.run(new Uint8Array(100_000));
  database.close();
});

test('a read-only file is fatal', () => {
  openDatabase(file, options).close();
  const database = new DatabaseSync(file, { readOnly: true });
  const error = errorOf(() => database.prepare('insert into t values (?)').run(new Uint8Array(1)));
  expect(error).toBeInstanceOf(FatalError);
  expect(error.message).toContain(`${file} is read-only`);
  database.close();
});

test('a folder that can’t be made is fatal', () => {
  writeFileSync(join(folder, 'plain'), '');
  file = join(folder, 'plain', 'file.sqlite');
  const error = errorOf(() => openDatabase(file, options));
  expect(error).toBeInstanceOf(FatalError);
  expect(error.message).toContain(`${file} can't be opened`);
  expect(error.message).toContain('ulimit -n');
});

test('another process that holds the file too long is transient', () => {
  const first = openDatabase(file, options);
  first.exec('begin immediate');
  const second = openDatabase(file, { ...options, busyTimeoutMs: 1 });
  const error = errorOf(() => {
    transaction(second, () => undefined);
  });
  expect(error).toBeInstanceOf(TransientError);
  expect(error.message).toContain('locked');
  first.close();
  second.close();
});

test('errors that are not the store’s pass as they are', () => {
  const own = new RangeError('mine');
  expect(storeError(own, file)).toBe(own);
});

import { describe } from 'vitest';
import { describeSqlSink } from './testing/describe-sql-sink.ts';
import { findLocalBigquery, sinkOnLocalBigquery } from './testing/local-bigquery.ts';
import { sinkOnFake } from './testing/sink-on-fake.ts';

describeSqlSink('the warehouse over a strict service of our own, rows in DuckDB,', sinkOnFake);

const local = findLocalBigquery();
describe.skipIf(local === undefined)('[needs local-bigquery]', () => {
  describeSqlSink('the warehouse over local-bigquery', () => sinkOnLocalBigquery(local ?? {}), { runs: 2 });
});

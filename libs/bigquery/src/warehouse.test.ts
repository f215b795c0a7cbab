import { describeSqlSink } from './testing/describe-sql-sink.ts';
import { sinkOnFake } from './testing/sink-on-fake.ts';

describeSqlSink('the warehouse over a strict service of our own, rows in DuckDB', sinkOnFake);

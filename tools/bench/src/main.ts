import { parseArgs } from 'node:util';
import { print } from './print.ts';
import { spine } from './spine/spine.ts';

const usage = `npm run bench -- spine [options]

  spine            a CSV file through all stages of "meterflow dev", checked against DuckDB
    --copies N     the input N times over, each under new meter names (default 1)
    --runs N       how often it is measured; the median is told (default 3)
    --file FILE    the readings, gzipped CSV (default: the Swiss households of the shared folder)
    --no-check     leave the comparison with the reference out
    --json         one JSON object on standard output`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    copies: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    file: { type: 'string' },
    check: { type: 'boolean', default: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

if (values.help || positionals[0] !== 'spine') {
  print(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  const { file, check, json } = values;
  const right = await spine({
    copies: Number(values.copies),
    runs: Number(values.runs),
    check,
    json,
    ...(file === undefined ? {} : { file }),
  });
  process.exitCode = right ? 0 : 1;
}

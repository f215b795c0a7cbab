import { parseOptions, refuse, wholeNumber } from '@meterflow/command-line';
import { aggregation } from './aggregation/aggregation.ts';
import { door } from './door/door.ts';
import { memory } from './memory/memory.ts';
import { rolling } from './rolling/rolling.ts';
import { sandboxBench } from './sandbox/sandbox.ts';
import { services } from './services/services.ts';
import { latency } from './spine/latency.ts';
import { spine } from './spine/spine.ts';
import { theodolite } from './theodolite/theodolite.ts';

const usage = `npm run bench -- spine|aggregation|latency|services|door|sandbox|rolling|theodolite|memory [options]

  spine            a CSV file through all stages of "meterflow dev", checked against DuckDB
    --copies N     the input N times over, each under new meter names (default 1)
    --runs N       how often it is measured; the median is told (default 3)
    --file FILE    the readings, gzipped CSV (default: the Swiss households of the shared folder)
    --profiles DIR CPU profiles of all processes
    --no-check     leave the comparison with the reference out

  aggregation      the same into a tree of groups over all meters, beside none; then a late reading to the area's month
    --copies N     as above
    --days N       of each meter its first days alone: --copies 94 --days 1 are 50,478 meters in 4.8 million readings
    --probes N     late readings (default 100)
    --file FILE    as above
    --profiles DIR as above

  latency          from a push to the aggregate that a query gives back, under load
    --rate N       readings a second beside the probes (default 100000)
    --seconds N    how long (default 20)

  services         the four services as processes of their own over Google's emulators and Redis: a file, live push,
                   and one message for each reading; CPU of ours and of the emulators apart
    --file FILE    as above
    --shape NAME   this shape alone: file, "live push" or "one reading a message"; may be repeated
    --profiles DIR CPU profiles of all processes
    --no-check     leave the comparison with DuckDB out

  door             one process of ingest under 1, 2, 4, 8, 16 and 32 pushes at once, over Google's emulators and Redis
    --meters N     readings of each (default 100)
    --seconds N    how long each number is held (default 20)

  sandbox          readings through the process boundary of rules, by batch size and tenants; beside it the rule as plain
                   code, and one JSON for each reading
    --readings N   readings for each line of the table (default 8000000)
    --tenants N    so many alone; may be repeated (default 1, 10, 100 and 400)

  rolling          every service replaced, one process at a time, under steady load over Google's emulators and Redis
    --pushes N     pushes a second (default 8)
    --meters N     readings of each (default 100)
    --seconds N    how long it is measured without (default 20)
    --rounds N     how often each service is replaced (default 1)

  theodolite       the four use cases of the Theodolite benchmarks: the largest load that one core, two, … keep up with
    --case NAME    this one alone: uc1, uc2, uc3, uc4; may be repeated
    --load N       this load alone (sensors; uc4: nested groups); may be repeated, ascending
    --cores N      so many alone; may be repeated
    --warm-up N    seconds before it is looked at (default 20)
    --seconds N    how long it is looked at (default 20)
    --profiles DIR CPU profiles of all processes

  memory           what each process of "meterflow dev" keeps beside ever more series, most of them quiet; ends with 1
                   where one grows with them
    --series N     so many series are registered and have a reading; ascending (default 10000, 100000, 1000000)
    --lengths own|default  whether each says its interval length itself, or the tenant for all (default: own)
    --seconds N    how long a few of them send readings (default 20)

    --json         one JSON object on standard output`;

const { values, positionals } = parseOptions(usage, {
  allowPositionals: true,
  options: {
    copies: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    file: { type: 'string' },
    check: { type: 'boolean', default: true },
    days: { type: 'string' },
    probes: { type: 'string', default: '100' },
    rate: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '20' },
    shape: { type: 'string', multiple: true },
    pushes: { type: 'string', default: '8' },
    meters: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '1' },
    case: { type: 'string', multiple: true },
    load: { type: 'string', multiple: true },
    cores: { type: 'string', multiple: true },
    tenants: { type: 'string', multiple: true },
    series: { type: 'string', multiple: true, default: ['10000', '100000', '1000000'] },
    lengths: { type: 'string', default: 'own' },
    'warm-up': { type: 'string', default: '20' },
    profiles: { type: 'string' },
    readings: { type: 'string', default: '8000000' },
    json: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

const { check, json } = values;
const inputs = {
  ...(values.file === undefined ? {} : { file: values.file }),
  ...(values.profiles === undefined ? {} : { profiles: values.profiles }),
};
if (positionals[0] === 'spine') {
  const counts = { copies: wholeNumber('copies', values.copies), runs: wholeNumber('runs', values.runs) };
  const right = await spine({ ...counts, check, json, ...inputs });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'aggregation') {
  const counts = { copies: wholeNumber('copies', values.copies), probes: wholeNumber('probes', values.probes) };
  const days = values.days === undefined ? {} : { days: wholeNumber('days', values.days) };
  const right = await aggregation({ ...counts, ...days, json, ...inputs });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'latency') {
  await latency({
    readingsPerSecond: wholeNumber('rate', values.rate),
    seconds: wholeNumber('seconds', values.seconds),
    json,
  });
} else if (positionals[0] === 'services') {
  const { shape } = values;
  const right = await services({ check, json, ...inputs, ...(shape === undefined ? {} : { shapes: shape }) });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'door') {
  const metersPerPush = wholeNumber('meters', values.meters);
  const right = await door({ metersPerPush, seconds: wholeNumber('seconds', values.seconds), json });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'sandbox') {
  const right = await sandboxBench({
    readings: wholeNumber('readings', values.readings),
    ...(values.tenants === undefined ? {} : { tenants: values.tenants.map((each) => wholeNumber('tenants', each)) }),
    json,
  });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'rolling') {
  const right = await rolling({
    pushesPerSecond: wholeNumber('pushes', values.pushes),
    metersPerPush: wholeNumber('meters', values.meters),
    calmSeconds: wholeNumber('seconds', values.seconds),
    rounds: wholeNumber('rounds', values.rounds),
    json,
  });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'theodolite') {
  const right = await theodolite({
    ...(values.case === undefined ? {} : { cases: values.case }),
    ...(values.load === undefined ? {} : { loads: values.load.map((each) => wholeNumber('load', each)) }),
    ...(values.cores === undefined ? {} : { cores: values.cores.map((each) => wholeNumber('cores', each)) }),
    ...(values.profiles === undefined ? {} : { profiles: values.profiles }),
    warmUpSeconds: wholeNumber('warm-up', values['warm-up'], 0),
    seconds: wholeNumber('seconds', values.seconds),
    json,
  });
  process.exitCode = right ? 0 : 1;
} else if (positionals[0] === 'memory' && (values.lengths === 'own' || values.lengths === 'default')) {
  const isFlat = await memory({
    series: values.series.map((each) => wholeNumber('series', each)),
    lengths: values.lengths,
    seconds: wholeNumber('seconds', values.seconds),
    json,
  });
  process.exitCode = isFlat ? 0 : 1;
} else {
  refuse(usage);
}

import { parseOptions, refuse, wholeNumber } from '@meterflow/command-line';
import { endAllCommands } from './command.ts';
import { crashModes, crashRun, type CrashResult } from './crash-run.ts';

const usage = `npm run crash -- [options]

Kills processes of a running pipeline at random moments while readings come in, lets it finish, and compares its
canonical export and its receipts with those of a run that nobody killed.

  --kills N       how many SIGKILLs (default 100)
  --seed S        which random moments and processes (default 1)
  --mode M        dev: a server, and senders that send again; import: the import command; google: the server over
                  Google's emulators and Redis, with Redis flushed and restarted and connections cut (default dev)
  --file FILE     readings as meter_id,channel,start,value,unit, gzipped or not
                  (default: the Swiss households of the shared folder, else the bundled sample)
  --readings N    lines taken of it (default 60000)
  --pieces N      files that they are cut into (default 8)
  --victims A,B   who is killed: ingest, rule-execution, sandbox, persistence, aggregation, control, supervisor, all
  --every MS      mean time between two kills (default 600)
  --keep          leave the data directories where they are
  --verbose       tell each kill`;

const { values } = parseOptions(usage, {
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'dev' },
    file: { type: 'string' },
    readings: { type: 'string', default: '60000' },
    pieces: { type: 'string', default: '8' },
    every: { type: 'string', default: '600' },
    victims: { type: 'string' },
    keep: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const mode = crashModes.find((each) => each === values.mode);
if (mode === undefined) {
  refuse(`--mode is one of ${crashModes.join(', ')}`);
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      endAllCommands();
      process.exit(1);
    });
  }
  const result = await crashRun({
    kills: wholeNumber('kills', values.kills, 0),
    seed: wholeNumber('seed', values.seed),
    mode,
    input: {
      readings: wholeNumber('readings', values.readings),
      pieces: wholeNumber('pieces', values.pieces),
      ...(values.file === undefined ? {} : { file: values.file }),
    },
    everyMs: wholeNumber('every', values.every),
    keep: values.keep,
    ...(values.victims === undefined ? {} : { victims: values.victims.split(',') }),
    ...(values.verbose ? { onKill: (victim, done) => process.stderr.write(`${done} ${victim}\n`) } : {}),
  });
  process.stdout.write(`${tableOf(result)}\n`);
  process.exitCode = result.faults.length === 0 ? 0 : 1;
}

function tableOf(result: CrashResult): string {
  const kills = [...result.killed].sort(([a], [b]) => a.localeCompare(b));
  const rows: readonly (readonly [string, string | number])[] = [
    ...kills.map(([name, count]) => [`kills of ${name}`, count] as const),
    ['kills', kills.reduce((sum, [, count]) => sum + count, 0)],
    ...result.disturbed,
    ['starts of the command', result.starts],
    ['messages that came again', result.redeliveries ?? 'not told'],
    ['duplicates absorbed', result.duplicatesAbsorbed ?? 'not told'],
    ['lines of the canonical export', result.lines],
    ['dead letters', result.deadLetters],
    ['seconds', result.seconds.toFixed(1)],
    ['result', result.faults.length === 0 ? 'the same as without kills' : 'DIFFERENT'],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (values.keep) {
    table.push(`kept in ${result.folder}`);
  }
  return [...table, ...result.faults.map((fault) => `  ${fault}`)].join('\n');
}

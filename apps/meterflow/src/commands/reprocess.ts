import { setTimeout as sleep } from 'node:timers/promises';
import type { Told } from '../cli-context.ts';
import { parseExact, shownValue, floatValue } from '../client/exact-json.ts';
import type { LocalClient } from '../client/local-client.ts';
import type { Row } from '../client/pages.ts';
import { untilIdle } from '../client/until-idle.ts';
import { allServices, askServer, withServer } from '../client/with-server.ts';
import { author } from '../rules/rule-words.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';
import { table } from '../terminal/table.ts';

export interface ReprocessOptions {
  readonly tenant: string;
  readonly from?: string;
  readonly to?: string;
  readonly why?: string;
  readonly cancel?: string;
  /** False: not to wait for its end. */
  readonly wait?: boolean;
}

const pollMs = 300;
const ended: readonly unknown[] = ['done', 'cancelled'];

/** Has a span computed anew and waits for its end; or ends one early; or, with neither, lists them. */
export async function reprocess(options: ReprocessOptions, told: Told): Promise<void> {
  if (options.cancel !== undefined) {
    await cancel(options.cancel, options, told);
  } else if (options.from === undefined && options.to === undefined) {
    await list(options, told);
  } else {
    await start(options, told);
  }
}

/** Without a server all of the stages are needed: they do the work. */
async function start({ tenant, from, to, why, wait }: ReprocessOptions, told: Told): Promise<void> {
  const body = {
    from: from ?? '1970-01-01',
    to: to ?? '9999-12-31',
    ...author(),
    ...(why === undefined ? {} : { why }),
  };
  const done = await withServer(told.globals, allServices, async ({ control }) => {
    const call = { method: 'POST', path: '/v1/reprocesses', tenant, role: 'customer', body } as const;
    const begun = parseExact(await control.text(call)) as Row;
    return wait === false ? begun : follow(control, { tenant, id: shownValue(begun['id']) }, told);
  });
  tell([done], told);
}

/** Waits until it is ended, and shows how far it is. */
export async function follow(
  control: LocalClient,
  { tenant, id }: { readonly tenant: string; readonly id: string },
  { output }: Told,
): Promise<Row> {
  const bar = new ProgressBar(output.terminal);
  try {
    for (;;) {
      const text = await control.text({ path: `/v1/reprocesses/${id}`, tenant, role: 'customer' });
      const now = parseExact(text) as Row;
      if (ended.includes(now['state'])) {
        // What it set going goes on to the aggregates.
        await untilIdle(control);
        return now;
      }
      const series = now['series'] as Row;
      const progress = { done: floatValue(series['done']), total: floatValue(series['of']) || 1 };
      bar.update({ ...progress, count: floatValue(now['days']), noun: 'days' });
      await sleep(pollMs);
    }
  } finally {
    bar.clear();
  }
}

async function cancel(id: string, { tenant, why }: ReprocessOptions, told: Told): Promise<void> {
  const text = await askServer(told.globals, ({ control }) =>
    control.text({
      ...{ method: 'POST', path: `/v1/reprocesses/${encodeURIComponent(id)}/cancel`, tenant, role: 'customer' },
      body: { ...author(), ...(why === undefined ? {} : { why }) },
    }),
  );
  tell([parseExact(text) as Row], told);
}

async function list({ tenant }: ReprocessOptions, told: Told): Promise<void> {
  const text = await askServer(told.globals, ({ control }) =>
    control.text({ path: '/v1/reprocesses', tenant, role: 'customer' }),
  );
  tell((parseExact(text) as { reprocesses: readonly Row[] }).reprocesses, told);
}

function tell(rows: readonly Row[], { globals, output }: Told): void {
  const cells = rows.map((row) => {
    const { done, of } = row['series'] as Row;
    const series = `${shownValue(done)} of ${shownValue(of)}`;
    return [
      ...['id', 'state', 'from', 'to'].map((cell) => shownValue(row[cell])),
      series,
      shownValue(row['days']),
      shownValue(row['who']),
      shownValue(row['why']),
    ];
  });
  const columns = ['reprocess', 'state', 'from', 'to', 'series', 'days', 'who', 'why'];
  output.line(globals.json ? JSON.stringify(rows) : table(columns, cells));
}

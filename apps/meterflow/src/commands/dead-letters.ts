import { CommandError, type GlobalOptions, type Output } from '../cli-context.ts';
import { pages, queryString, type Row } from '../client/pages.ts';
import { allServices, askingServices, askServer, withServer } from '../client/with-server.ts';
import { shownValue } from '../client/exact-json.ts';
import { untilIdle } from '../client/until-idle.ts';
import { table } from '../terminal/table.ts';

export interface DeadLetterFilter {
  readonly state?: string;
  readonly stage?: string;
  readonly tenant?: string;
  readonly reasonCode?: string;
}

const operator = { tenant: 'default', role: 'operator' } as const;

export async function listDeadLetters(filter: DeadLetterFilter, globals: GlobalOptions, output: Output): Promise<void> {
  const rows = await askServer(globals, async ({ control }) => {
    const found: Row[] = [];
    const path = `/v1/dead-letters${queryString({ ...filter })}`;
    for await (const page of pages(control, { ...operator, path, cursor: 'before', rows: 'deadLetters' })) {
      found.push(...page);
    }
    return found;
  });
  if (globals.json) {
    output.line(JSON.stringify(rows));
  } else if (rows.length === 0) {
    output.note('There are no dead letters.');
  } else {
    const columns = ['id', 'state', 'tenant', 'reasonCode', 'reason', 'at'];
    output.line(
      table(
        columns,
        rows.map((row) => columns.map((column) => shownValue(row[column]))),
      ),
    );
  }
}

export async function showDeadLetter(id: string, globals: GlobalOptions, output: Output): Promise<void> {
  const text = await askServer(globals, ({ control }) =>
    control.text({ ...operator, path: `/v1/dead-letters/${encodeURIComponent(id)}` }),
  );
  output.line(globals.json ? text : JSON.stringify(JSON.parse(text), undefined, 2));
}

/** Sends them to their stages once more (and lets those work, where no server runs), or drops them for good. */
export async function handleDeadLetters(
  command: 'retry' | 'purge',
  choice: {
    readonly ids: readonly string[];
    readonly all?: boolean;
    readonly filter: DeadLetterFilter;
    /** Kept in the audit trail. */
    readonly why?: string;
  },
  { globals, output }: { readonly globals: GlobalOptions; readonly output: Output },
): Promise<void> {
  if (choice.ids.length === 0 && choice.all !== true) {
    throw new CommandError('nothing-chosen', `name the dead letters to ${command}, or say --all`);
  }
  const done = await withServer(globals, command === 'retry' ? allServices : askingServices, async ({ control }) => {
    const ids = [...choice.ids];
    if (choice.all === true) {
      const path = `/v1/dead-letters${queryString({ ...choice.filter })}`;
      for await (const page of pages(control, { ...operator, path, cursor: 'before', rows: 'deadLetters' })) {
        ids.push(...page.filter(({ state }) => state !== 'purged').map((row) => shownValue(row['id'])));
      }
    }
    const handled: string[] = [];
    for (let from = 0; from < ids.length; from += idsPerRequest) {
      const told = choice.why === undefined ? {} : { why: choice.why };
      const body = { ids: ids.slice(from, from + idsPerRequest), ...told };
      const answer = (await control.json({
        ...operator,
        method: 'POST',
        path: `/v1/dead-letters/${command}`,
        body,
      })) as Record<string, string[]>;
      handled.push(...Object.values(answer).flat());
    }
    if (command === 'retry') {
      await untilIdle(control);
    }
    return { asked: ids.length, handled };
  });
  if (globals.json) {
    output.line(JSON.stringify({ [command === 'retry' ? 'retried' : 'purged']: done.handled }));
  } else {
    output.line(`${done.handled.length} of ${done.asked} ${command === 'retry' ? 'sent again' : 'purged'}`);
  }
  const missing = choice.ids.filter((id) => !done.handled.includes(id));
  if (missing.length > 0) {
    throw new CommandError('not-found', `there is no dead letter ${missing.join(', ')}, or it was purged`);
  }
}

const idsPerRequest = 1_000;

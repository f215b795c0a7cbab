import type { GlobalOptions, Output } from '../cli-context.ts';
import { askServer } from '../client/with-server.ts';
import { table } from '../terminal/table.ts';

interface Status {
  readonly idle: boolean;
  readonly backlogs: readonly {
    readonly subscription: string;
    readonly messages: number;
    readonly bytes: number;
    readonly ageSeconds: number;
    readonly leased: number;
  }[];
  readonly deadLetters: { readonly dead: number; readonly parked: number };
}

/** What waits where, for how long, and what is dead. */
export async function status(globals: GlobalOptions, output: Output): Promise<void> {
  const text = await askServer(globals, ({ control }) =>
    control.text({ path: '/v1/status', tenant: 'default', role: 'operator' }),
  );
  if (globals.json) {
    output.line(text);
    return;
  }
  const { backlogs, deadLetters } = JSON.parse(text) as Status;
  const rows = backlogs.map(({ subscription, messages, leased, bytes, ageSeconds }) => [
    subscription,
    messages,
    leased,
    bytes,
    Math.round(ageSeconds),
  ]);
  output.line(table(['subscription', 'backlog', 'in work', 'bytes', 'age s'], rows));
  output.line(`dead letters: ${deadLetters.dead} dead, ${deadLetters.parked} parked`);
}

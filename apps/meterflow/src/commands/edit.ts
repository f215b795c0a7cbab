import type { Receipt } from '@meterflow/receipts';
import { CommandError, type GlobalOptions, type Output } from '../cli-context.ts';
import { floatValue, parseExact, shownValue } from '../client/exact-json.ts';
import { queryString, type Row } from '../client/pages.ts';
import { allServices, withServer, type ServerClients } from '../client/with-server.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';
import { receiptText } from '../terminal/receipt-text.ts';
import { completed } from './import.ts';

export interface EditOptions {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  readonly start: string;
  /** Absent where the reading is there already. */
  readonly end?: string;
  /** A decimal; `none` takes the reading back. */
  readonly value: string;
  readonly unit?: string;
  readonly reason: string;
  readonly author: string;
}

/** Puts a value in the place of a reading, through all stages to the end; prints the receipt. */
export async function editReading(options: EditOptions, globals: GlobalOptions, output: Output): Promise<void> {
  const { tenant, author, reason } = options;
  const receipt = await withServer(globals, allServices, async (clients) => {
    const edit = await editOf(options, clients);
    const body = { author, reason, edits: [edit] };
    const taken = (await clients.ingest.json({
      ...{ method: 'POST', path: '/v1/edits', tenant, role: 'operator', body },
    })) as Receipt;
    return completed(clients, { tenant, sourceId: taken.sourceId }, new ProgressBar(output.terminal));
  });
  output.line(globals.json ? JSON.stringify(receipt) : receiptText(receipt));
}

/** What is to be sent: of the reading that is there its end, its unit, and one more than its declared version. */
async function editOf(options: EditOptions, { control }: ServerClients): Promise<object> {
  const { tenant, meter, channel, value } = options;
  const startMs = Date.parse(options.start);
  const [from, to] = [startMs, startMs + 1].map((ms) => new Date(ms).toISOString());
  const path = `/v1/readings${queryString({ meter, channel, from, to, raw: true })}`;
  const { readings } = parseExact(await control.text({ path, tenant, role: 'operator' })) as { readings: Row[] };
  const there = readings.filter(
    ({ end }) => options.end === undefined || Date.parse(shownValue(end)) === Date.parse(options.end),
  );
  const [known, second] = there;
  if (second !== undefined) {
    const ends = there.map(({ end }) => shownValue(end)).join(', ');
    throw new CommandError(
      'nothing-chosen',
      `there are readings of several lengths at ${options.start}: say --end, one of ${ends}`,
    );
  }
  const end = options.end ?? known?.['end'];
  const unit = options.unit ?? known?.['unit'];
  if (end === undefined || unit === undefined) {
    const what = `${meter}, ${channel} at ${options.start}`;
    throw new CommandError('not-found', `there is no reading of ${what}: say --end and --unit to make one`);
  }
  const declared = known?.['version'];
  return {
    ...{ meter, channel, start: from, end: new Date(shownValue(end)).toISOString(), unit },
    value: value === 'none' ? null : value,
    // Readings with declared versions go by these alone: just above the one that it takes the place of.
    version: declared === undefined ? 0 : floatValue(declared) + 1,
  };
}

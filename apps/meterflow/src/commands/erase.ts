import { createInterface } from 'node:readline/promises';
import { CommandError, type Told } from '../cli-context.ts';
import { askServer } from '../client/with-server.ts';
import { erasureText, type ErasureProof } from '../terminal/erasure-text.ts';

export interface EraseOptions {
  readonly tenant: string;
  readonly meter?: string;
  readonly channel?: string;
  readonly yes?: boolean;
}

/** Erases for good and prints the proof. Throws CommandError when it is not confirmed, or a second look found something. */
export async function erase({ yes, ...wanted }: EraseOptions, { globals, output }: Told): Promise<void> {
  if (yes !== true) {
    await confirmed(wanted, output);
  }
  const { tenant, ...series } = wanted;
  const body = series.meter === undefined ? { everything: true } : series;
  const proof = (await askServer(globals, ({ control }) =>
    control.json({ method: 'POST', path: '/v1/erasures', tenant, role: 'operator', body }),
  )) as ErasureProof;
  output.line(globals.json ? JSON.stringify(proof) : erasureText(proof));
  if (!proof.clean) {
    const how = 'erase again to have what came since erased as well';
    throw new CommandError('not-clean', `a second look found readings of ${nameOf(wanted)}; ${how}`);
  }
}

/** A person types what is to be erased; where there is nobody to ask, --yes is needed. */
async function confirmed(wanted: EraseOptions, { input, terminal }: Told['output']): Promise<void> {
  if (!input.isTTY || !terminal.isTTY) {
    throw new CommandError('not-confirmed', 'erasing can not be undone: say --yes');
  }
  const asked = createInterface({ input, output: terminal });
  try {
    const typed = wanted.meter ?? wanted.tenant;
    const question = `This erases all readings of ${nameOf(wanted)} for good.\nType ${typed} to go on: `;
    if ((await asked.question(question)).trim() !== typed) {
      throw new CommandError('not-confirmed', 'that is not its name; nothing was erased');
    }
  } finally {
    asked.close();
  }
}

function nameOf({ tenant, meter, channel }: Omit<EraseOptions, 'yes'>): string {
  const ofMeter = meter === undefined ? '' : ` meter ${meter} of`;
  return `${channel === undefined ? '' : `channel ${channel} of`}${ofMeter} tenant ${tenant}`.trim();
}

import { CommandError } from '../cli-context.ts';
import type { LocalClient } from './local-client.ts';

const pollMs = 100;
const idleMsMax = 10 * 60_000;

/** Resolves when no message waits anywhere; throws CommandError when some still do after ten minutes. */
export async function untilIdle(control: LocalClient): Promise<void> {
  const endMs = performance.now() + idleMsMax;
  while (performance.now() < endMs) {
    const status = (await control.json({ path: '/v1/status', tenant: 'default', role: 'operator' })) as {
      idle: boolean;
    };
    if (status.idle) {
      return;
    }
    await new Promise((wake) => setTimeout(wake, pollMs));
  }
  throw new CommandError('not-idle', 'messages still wait after ten minutes: `meterflow status` says which');
}

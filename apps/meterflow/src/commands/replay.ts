import { CommandError, type GlobalOptions, type Output } from '../cli-context.ts';
import { RefusedError } from '../client/local-client.ts';
import { allServices, withServer } from '../client/with-server.ts';
import { untilIdle } from '../client/until-idle.ts';

export interface ReplayOptions {
  readonly subscription: string;
  readonly from: string;
}

/** Delivers what was published since an instant once more, and waits until it is handled. */
export async function replay(
  { subscription, from }: ReplayOptions,
  globals: GlobalOptions,
  output: Output,
): Promise<void> {
  const answer = await withServer(globals, allServices, async ({ control }) => {
    const body = { subscription, from: new Date(from).toISOString() };
    const call = { method: 'POST', path: '/v1/replay', tenant: 'default', role: 'operator', body } as const;
    const text = await control.text(call).catch((error: unknown) => {
      if (error instanceof RefusedError && error.status === 404) {
        const hint = '`meterflow status` lists them';
        throw new CommandError('nothing-chosen', `there is no subscription ${subscription}; ${hint}`, { cause: error });
      }
      throw error;
    });
    await untilIdle(control);
    return text;
  });
  const { messages } = JSON.parse(answer) as { readonly messages?: number };
  output.line(
    globals.json ? answer : messages === undefined ? 'it has begun' : `${messages} messages delivered once more`,
  );
}

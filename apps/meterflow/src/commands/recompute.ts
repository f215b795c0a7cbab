import type { Told } from '../cli-context.ts';
import { untilIdle } from '../client/until-idle.ts';
import { allServices, withServer } from '../client/with-server.ts';

export interface RecomputeOptions {
  readonly tenant: string;
  readonly meter?: string;
  readonly channel: string;
}

/** Has aggregates made anew of what is stored, and waits until they are. */
export async function recompute(
  { tenant, meter, channel }: RecomputeOptions,
  { globals, output }: Told,
): Promise<void> {
  const body = meter === undefined ? { everything: true } : { meter, channel };
  const answer = await withServer(globals, allServices, async ({ control }) => {
    const text = await control.text({ method: 'POST', path: '/v1/recomputes', tenant, role: 'operator', body });
    await untilIdle(control);
    return text;
  });
  const { series } = JSON.parse(answer) as { readonly series: number };
  output.line(
    globals.json
      ? answer
      : series === 0
        ? 'Nothing is stored of it.'
        : `The aggregates of ${series} series are computed anew.`,
  );
}

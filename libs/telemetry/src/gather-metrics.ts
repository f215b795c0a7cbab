import type { IncomingMessage } from 'node:http';
import { request } from './node-http.ts';
import { mergedPrometheusText } from './prometheus-text.ts';

export interface MetricsOf {
  readonly service: string;
  /** Where its operations server listens. */
  readonly socket: string;
}

const answerMsMax = 2_000;

/**
 * The metrics of several processes of this machine as one text, each sample with its service. `service_up_now` says
 * which of them answered.
 */
export async function gatherMetrics(services: readonly MetricsOf[]): Promise<string> {
  const texts = await Promise.all(
    services.map(async ({ service, socket }) => {
      const text = await ask(socket).catch(() => undefined);
      const up = `# TYPE service_up_now gauge\nservice_up_now ${text === undefined ? 0 : 1}\n`;
      return { service, text: `${text ?? ''}${up}` };
    }),
  );
  return mergedPrometheusText(texts);
}

async function ask(socketPath: string): Promise<string> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics', timeout: answerMsMax, agent: false }, resolve);
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += piece as string;
  }
  if (answer.statusCode !== 200) {
    throw new Error(`answered ${answer.statusCode}`);
  }
  return text;
}

import { request, type IncomingMessage } from 'node:http';

export interface ServiceAnswer {
  readonly status: number;
  readonly text: string;
}

const answerMsMax = 5_000;

/** Asks a service for something small; undefined when it does not answer. */
export async function askService(socketPath: string, path: string): Promise<ServiceAnswer | undefined> {
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({ socketPath, path, timeout: answerMsMax }, resolve);
      asked.on('timeout', () => asked.destroy(new Error('no answer')));
      asked.on('error', reject);
      asked.end();
    });
    let text = '';
    for await (const piece of answer.setEncoding('utf8')) {
      text += piece as string;
    }
    return { status: answer.statusCode ?? 0, text };
  } catch {
    return undefined;
  }
}

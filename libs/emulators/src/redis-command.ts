import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { RunningPart } from './running-part.ts';

/** One command, written as a person would type it, on a connection of its own; the raw answer. Throws what Redis refuses. */
export async function askRedis(node: Pick<RunningPart, 'host' | 'port'>, command: string): Promise<string> {
  const socket = connect(node.port, node.host);
  await once(socket, 'connect');
  socket.write(`${command}\r\nQUIT\r\n`);
  const answer = await text(socket);
  if (answer.startsWith('-')) {
    throw new Error(`Redis refused "${command}": ${answer.slice(1, answer.indexOf('\r\n'))}`);
  }
  return answer;
}

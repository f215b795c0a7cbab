// A small real service for the tests: node service.ts <short|stuck> <drainMs>
import { writeSync } from 'node:fs';
import { Lifecycle, nodeProcess, nodeTimers, stopWithProcess } from '../index.ts';

const [work, drainMs] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const log = {
  info: (message: string) => {
    say(`info ${message}`);
  },
  error: (message: string, fields?: object) => {
    say(`error ${message} ${JSON.stringify(fields)}`);
  },
};

const timers = nodeTimers();
const lifecycle = new Lifecycle({ timers, log });
stopWithProcess(lifecycle, { process: nodeProcess(), timers, log, drainMs: Number(drainMs) });
const alive = setInterval(() => undefined, 1_000);
lifecycle.register('store', () => {
  clearInterval(alive);
  say('closed store');
});
lifecycle.register('stage', async () => {
  say(`closing stage, ready ${String(lifecycle.ready)}`);
  await (work === 'stuck' ? new Promise(() => undefined) : new Promise((resolve) => setTimeout(resolve, 20)));
  say('closed stage');
});
lifecycle.started();
say('ready');

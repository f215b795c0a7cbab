import { requirePart } from './find-part.ts';
import { localhost, type RunningPart, type StartOptions } from './running-part.ts';
import { startPart } from './start-part.ts';

/** A small heap and the quick compiler: ready in half the time, and it lives for minutes only. */
const javaOptions = '-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1';

/** Google's Pub/Sub emulator, empty; it keeps everything in memory. */
export async function startPubsubEmulator(options: StartOptions = {}): Promise<RunningPart> {
  const { command } = requirePart('pubsub-emulator');
  return startPart(
    {
      command,
      args: (port) => [`--host=${localhost}`, `--port=${port}`],
      env: { JAVA_OPTS: javaOptions },
      ready: /Server started, listening on \d+/,
    },
    options,
  );
}

/** Google's Bigtable emulator, empty; it keeps everything in memory. */
export async function startBigtableEmulator(options: StartOptions = {}): Promise<RunningPart> {
  const { command } = requirePart('bigtable-emulator');
  return startPart(
    { command, args: (port) => ['-host', localhost, '-port', String(port)], ready: /emulator running on \S+:\d+/ },
    options,
  );
}

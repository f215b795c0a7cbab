// Starts the service as its child with an IPC channel: node parent.ts <service.ts>
import { fork } from 'node:child_process';

fork(process.argv[2] as string, ['stuck', '60000'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
setInterval(() => undefined, 1_000);

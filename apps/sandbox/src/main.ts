import { serveChildren } from '@meterflow/sandbox';
import { ConfigurationError, parseEnvironment } from '@meterflow/service';
import { createTelemetry } from '@meterflow/telemetry';
import { z } from 'zod';

// The children in which rules run, for a container of their own: without token, secrets, network or writable files but
// the socket. rule-execution, beside it, watches them over that socket; this process only starts and ends them.

const environment = z.object({
  METERFLOW_SANDBOX_SOCKET: z.string().min(1).describe('the Unix socket, on a volume shared with rule-execution'),
  METERFLOW_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
const { METERFLOW_SANDBOX_SOCKET: path, METERFLOW_LOG_LEVEL: level } = told();
const { logger } = createTelemetry({ service: 'sandbox', level });
const server = await serveChildren({
  path,
  onEnd: (message) => {
    logger.info(message);
  },
});
logger.info('serves children', { path });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void server.close().then(() => process.exit(0));
  });
}

/** What the environment says. It opens no platform, and so it carries none: where it does not fit, it ends with 2 itself. */
function told(): z.infer<typeof environment> {
  try {
    const parsed = parseEnvironment(environment.shape, process.env);
    if (process.argv[2] === '--validate') {
      process.exit(0);
    }
    return parsed;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

import { z } from 'zod';

/** What a service with an API is told beside what all are. */
export const publicEnvironment = {
  METERFLOW_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('the API for keys on a port, as behind an ingress; on a socket in the data directory when absent'),
};

/** Where the API listens: on every address of the container, or on the socket that a gateway on the same machine asks. */
export function publicAddress(
  port: number | undefined,
  socket: string,
): { readonly socket: string } | { readonly host: string; readonly port: number } {
  return port === undefined ? { socket } : { host: '0.0.0.0', port };
}

/** What callers and gateways need, without the server and its framework. */
export { localCredential } from './local-principal.ts';
export { mergeOpenApi } from './merge-open-api.ts';

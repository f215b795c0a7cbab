export { exactNumber } from './exact-number.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';
export { ListenError, type Address } from './listen.ts';
export { mergeOpenApi } from './merge-open-api.ts';
export type { ApiFacts } from './open-api.ts';
export { Problem, problemCodes, type ProblemCode, type ProblemOptions, type RequestError } from './problem.ts';
export { RequestQuota } from './request-quota.ts';
export { mediaType } from './request-body.ts';
export {
  defineRoute,
  jsonBytesMaxDefault,
  type AdmittedRequest,
  type Method,
  type Reply,
  type Route,
  type RouteDefinition,
} from './route.ts';
export { localCredential, localPrincipal } from './local-principal.ts';

import type { Principal, Quotas, Role } from '@meterflow/registry';
import type { z } from 'zod';

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof methods)[number];

/** A request that was admitted: its credential is good, its role allowed, its parts fit their schemas. */
export interface AdmittedRequest<Params, Query, Body> {
  readonly id: string;
  /** Whose request it is. The tenant comes from here, never from the request. */
  readonly principal: Principal;
  readonly quotas: Quotas;
  readonly params: Params;
  readonly query: Query;
  /** The parsed JSON body; undefined for a route without one. */
  readonly body: Body;
  /** The body as it comes, for a route that takes bytes; throws Problem `body-too-large`. Read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** A header's value; names in lower case. */
  header(name: string): string | undefined;
  /** Aborts when the client went away before it was answered. */
  readonly signal: AbortSignal;
}

/** An answer. `json` is written with JSON.stringify; `stream` as it comes. Nothing of the two: no body. */
export interface Reply {
  /** 200 unless told; 204 where there is no body. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly stream?: AsyncIterable<Uint8Array | string>;
}

interface RouteFacts {
  readonly method: Method;
  /** As OpenAPI writes it: `/v1/sources/{id}`. */
  readonly path: `/${string}`;
  /** Unique, camel case: what generated clients call it. */
  readonly operationId: string;
  readonly summary: string;
  /** Whose keys may call it. */
  readonly roles: readonly [Role, ...Role[]];
  /** Answers by status, for the OpenAPI document: a schema of JSON, media types of what is none. */
  readonly answers: Readonly<
    Record<
      number,
      {
        readonly description: string;
        readonly schema?: z.ZodType;
        readonly mediaType?: string;
        readonly mediaTypes?: readonly string[];
      }
    >
  >;
  /** Content types that are taken as bytes. Exclusive with `body`. */
  readonly takesBytes?: readonly string[];
  /** The largest body; {@link jsonBytesMaxDefault} unless told. A tenant's bytesPerRequest may be lower. */
  readonly bodyBytesMax?: number;
}

export interface RouteDefinition<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
> extends RouteFacts {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  handle(request: AdmittedRequest<z.output<Params>, z.output<Query>, z.output<Body>>): Promise<Reply>;
}

/** A route, its types forgotten. */
export interface Route extends RouteFacts {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  handle(request: AdmittedRequest<unknown, unknown, unknown>): Promise<Reply>;
}

export const jsonBytesMaxDefault = 1024 * 1024;

/** Declares a route: what its schemas say is what its handler gets. */
export function defineRoute<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<Params, Query, Body>): Route {
  // The server calls `handle` only with what these very schemas gave.
  return definition;
}

import { mappingJsonSchema } from '@meterflow/formats';
import { defineRoute, mediaType, Problem, type Route } from '@meterflow/http';
import { RevisionConflictError } from '@meterflow/registry';
import { z } from 'zod';
import { mappingTextBytesMax } from './limits.ts';
import { MappingTextError, readMappingText } from './mapping-text.ts';
import { contentVersion } from './mapping-version.ts';
import { BuiltInMappingError, TooManyMappingsError, type KnownMapping, type Mappings } from './mappings.ts';

const readers = ['provider', 'customer', 'operator'] as const;
const writers = ['provider', 'operator'] as const;
const params = z.object({ name: z.string().min(1).max(63) });

const known = z.object({
  name: z.string(),
  version: z.string().describe('names the content: the same content has the same version'),
  builtIn: z.boolean(),
  mapping: z.unknown().describe('as GET /v1/mappings/schema says, its defaults filled in'),
});

export function mappingRoutes(mappings: Mappings): readonly Route[] {
  return [schemaRoute(), listRoute(mappings), showRoute(mappings), putRoute(mappings), removeRoute(mappings)];
}

function schemaRoute(): Route {
  const schema = mappingJsonSchema();
  return defineRoute({
    method: 'GET',
    path: '/v1/mappings/schema',
    operationId: 'getMappingSchema',
    summary: 'The JSON Schema of a mapping, for editors',
    roles: [...readers],
    answers: { 200: { description: 'The schema', schema: z.object({}).loose() } },
    handle: () => Promise.resolve({ json: schema }),
  });
}

function listRoute(mappings: Mappings): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/mappings',
    operationId: 'listMappings',
    summary: "The tenant's mappings, and those built in",
    roles: [...readers],
    answers: { 200: { description: 'All of them', schema: z.object({ mappings: z.array(known) }) } },
    handle: async ({ principal: { tenant } }) => ({ json: { mappings: (await mappings.list(tenant)).map(shown) } }),
  });
}

function showRoute(mappings: Mappings): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/mappings/{name}',
    operationId: 'getMapping',
    summary: 'One mapping as it is now',
    roles: [...readers],
    params,
    answers: { 200: { description: 'The mapping', schema: known } },
    handle: async ({ principal: { tenant }, params: { name } }) => {
      const found = await mappings.get(tenant, name);
      if (found === undefined) {
        throw noMapping(name);
      }
      return { json: shown(found) };
    },
  });
}

function putRoute(mappings: Mappings): Route {
  return defineRoute({
    method: 'PUT',
    path: '/v1/mappings/{name}',
    operationId: 'putMapping',
    summary: 'Make or change a mapping; what was begun under the one before is finished under it',
    roles: [...writers],
    params,
    query: z.strictObject({
      check: z.stringbool().default(false).describe('only say whether it is a mapping, and what is wrong with it'),
    }),
    takesBytes: ['application/json', 'application/yaml', 'application/x-yaml', 'text/yaml'],
    bodyBytesMax: mappingTextBytesMax,
    answers: {
      200: { description: 'It was changed, or was so already', schema: known },
      201: { description: 'It is new', schema: known },
    },
    handle: async ({ principal: { tenant }, params: { name }, query: { check }, ...request }) => {
      const text = await textOf(request.bytes);
      if (mediaType(request.header('content-type')) === 'application/json') {
        checkJson(text);
      }
      try {
        const mapping = readMappingText(text, name);
        if (check) {
          return { json: shown({ version: contentVersion(mapping), mapping, isBuiltIn: false }) };
        }
        const put = await mappings.put(tenant, mapping);
        return { status: put.isNew ? 201 : 200, json: shown(put) };
      } catch (error) {
        throw problemFor(error);
      }
    },
  });
}

function removeRoute(mappings: Mappings): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/mappings/{name}',
    operationId: 'removeMapping',
    summary: 'Remove a mapping with all its versions; what is unfinished under one can not be resumed then',
    roles: [...writers],
    params,
    answers: { 204: { description: 'It is gone' } },
    handle: async ({ principal: { tenant }, params: { name } }) => {
      const removed = await mappings.remove(tenant, name).catch((error: unknown) => {
        throw problemFor(error);
      });
      if (!removed) {
        throw noMapping(name);
      }
      return {};
    },
  });
}

export function noMapping(name: string): Problem {
  return new Problem('not-found', `there is no mapping "${name}"`);
}

function shown({ version, mapping, isBuiltIn }: KnownMapping): z.input<typeof known> {
  return { name: mapping.name, version, builtIn: isBuiltIn, mapping };
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Problem('invalid-json', error instanceof Error ? error.message : 'not JSON', { cause: error });
  }
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) {
    pieces.push(piece);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    throw new Problem('unprocessable-content', 'the text is not UTF-8', { cause: error });
  }
}

function problemFor(error: unknown): unknown {
  if (error instanceof MappingTextError) {
    return new Problem('unprocessable-content', error.message, { errors: error.problems, cause: error });
  }
  if (error instanceof BuiltInMappingError || error instanceof TooManyMappingsError) {
    return new Problem('invalid-request', error.message, { cause: error });
  }
  return error instanceof RevisionConflictError
    ? new Problem('conflict', 'the mapping was changed at the same time', { cause: error })
    : error;
}

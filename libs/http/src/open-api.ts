import { z } from 'zod';
import { problemCodes } from './problem.ts';
import type { Route } from './route.ts';

/** What the document says about the API as a whole. */
export interface ApiFacts {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

type Schema = Readonly<Record<string, unknown>>;

const problemSchema: Schema = {
  type: 'object',
  description: 'RFC 9457. `code` is stable, `action` says what to do.',
  required: ['type', 'title', 'status', 'detail', 'code', 'action', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: problemCodes },
    action: { type: 'string' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { at: { type: 'string' }, problem: { type: 'string' } } },
    },
  },
};

const publicOperation = (summary: string, operationId: string): Schema => ({
  get: { operationId, summary, security: [], responses: { 200: { description: 'yes' }, 503: { description: 'no' } } },
});

/** The OpenAPI 3.1 document of these routes. */
export function openApi(facts: ApiFacts, routes: readonly Route[]): Schema {
  const paths: Record<string, Record<string, unknown>> = {
    '/livez': publicOperation('Whether the process does its work', 'livez'),
    '/readyz': publicOperation('Whether requests should come here', 'readyz'),
  };
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: facts,
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'mf_<id>_<secret>' } },
      schemas: { Problem: problemSchema },
    },
  };
}

function operation(route: Route): Schema {
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: `For keys of role ${route.roles.join(', ')}.`,
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...requestBody(route),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, answer]) => [status, response(answer)])),
      default: {
        description: 'A problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function response(answer: Route['answers'][number]): Schema {
  const { description, schema, mediaType, mediaTypes = mediaType === undefined ? [] : [mediaType] } = answer;
  const content = {
    ...(schema === undefined ? {} : { 'application/json': { schema: jsonSchema(schema, 'output') } }),
    ...Object.fromEntries(mediaTypes.map((type) => [type, {}])),
  };
  return Object.keys(content).length === 0 ? { description } : { description, content };
}

function requestBody(route: Route): Schema {
  if (route.body !== undefined) {
    const content = { 'application/json': { schema: jsonSchema(route.body, 'input') } };
    return { requestBody: { required: true, content } };
  }
  if (route.takesBytes !== undefined) {
    const binary = { schema: { type: 'string', format: 'binary' } };
    const content = Object.fromEntries(route.takesBytes.map((type) => [type, binary]));
    return { requestBody: { required: true, content } };
  }
  return {};
}

function parameters(where: 'path' | 'query', schema: z.ZodType | undefined): readonly Schema[] {
  if (schema === undefined) {
    return [];
  }
  const { properties, required } = jsonSchema(schema, 'input') as {
    properties?: Readonly<Record<string, Schema>>;
    required?: readonly string[];
  };
  return Object.entries(properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: where,
      required: where === 'path' || (required ?? []).includes(name),
      schema: rest,
      ...(description === undefined ? {} : { description }),
    };
  });
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const described: Record<string, unknown> = { ...z.toJSONSchema(schema, { io, unrepresentable: 'any' }) };
  delete described['$schema'];
  return described;
}

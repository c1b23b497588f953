import { createComponents, type JsonSchema } from '../_chassis/json-schema.ts';
import { money } from '../_chassis/money.ts';
import { adjustment, receipt, stock } from '../inventory/contract.ts';
import { newOrder, order } from '../orders/contract.ts';
import { newProduct, product, productChange } from '../products/contract.ts';
import { health, routes, type Handlers, type Route, type RouteAnswer } from './contract.ts';
import { createRefusals, problemSchema } from './openapi-problems.ts';

const named = {
  Money: { schema: money, description: 'Integer minor units of an ISO 4217 currency.' },
  Product: { schema: product },
  NewProduct: { schema: newProduct },
  ProductChange: { schema: productChange, description: 'At least one of the fields.' },
  Stock: { schema: stock },
  Receipt: { schema: receipt },
  Adjustment: { schema: adjustment, description: 'The quantity is not 0; it is negative when something is missing.' },
  Order: { schema: order, description: 'Prices are those of the moment it was placed.' },
  NewOrder: { schema: newOrder, description: 'Each product only once.' },
  Health: { schema: health },
};

const text = (description: string) => ({ description, schema: { type: 'string' } });
const headers = {
  'x-request-id': text('As it was sent, or made here.'),
  location: text('Where what was made can be read.'),
  'x-cache': { description: 'Where it came from.', schema: { enum: ['hit', 'miss'] } },
  'retry-after': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
  'www-authenticate': text('Bearer, and what was wrong with the token.'),
};
const headersOf = (...names: (keyof typeof headers)[]) =>
  Object.fromEntries(['x-request-id', ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const header = (name: string, description: string, schema: JsonSchema, required = false) => ({
  ...{ name, in: 'header', required, description },
  schema: { type: 'string', ...schema },
});
const key = 'Printable ASCII with no blank at either end; `k` and `"k"` are the same key.';
const keyLength = { minLength: 1, maxLength: 255 };
const parameters = {
  requiredKey: header('Idempotency-Key', key, keyLength, true),
  optionalKey: header('Idempotency-Key', key, keyLength),
  lastEventId: header('Last-Event-ID', 'The last event that you have; the stream begins behind it.', {
    pattern: '^(0|[1-9]\\d{0,8})$',
  }),
  trace: header('traceparent', 'W3C trace context; continued.', {}),
  requestId: header('x-request-id', 'Comes back with the answer.', { pattern: '^[\\w.:-]{1,64}$' }),
};
const parameter = (name: keyof typeof parameters) => ({ $ref: `#/components/parameters/${name}` });

/** The public API as an OpenAPI 3.1 document, made of nothing but the table of routes and the problems' catalog. */
export function describeApi() {
  const { schemaOf, schemas } = createComponents(named);
  const { refusalsOf, responses } = createRefusals(headersOf);
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, route] of Object.entries<Route>(routes)) {
    const operation = { operationId, ...describeRoute(route, schemaOf, refusalsOf(route)) };
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sidecart',
      version: '1',
      description:
        'The public API. A write is done once for each Idempotency-Key and caller, and answered with the same bytes ' +
        'however often it is sent. Every refusal is a problem; an unknown field or parameter is one, too.',
    },
    servers: [{ url: 'http://127.0.0.1:8080' }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT (RFC 9068)' } },
      parameters,
      headers,
      responses,
      schemas: { ...schemas, Problem: problemSchema },
    },
  };
}

type SchemaOf = ReturnType<typeof createComponents>['schemaOf'];

function describeRoute(route: Route, schemaOf: SchemaOf, refusals: Record<string, object>) {
  const { body, does, token } = route;
  const required = body?.safeParse(undefined).success === false;
  const answers = Object.entries(route.answers).map(([status, answer]) => [status, success(answer, schemaOf)]);
  return {
    summary: does,
    security: token === 'required' ? [{ token: [] }] : [{}, { token: [] }],
    parameters: parametersOf(route, schemaOf),
    ...(body && { requestBody: { required, content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: { ...refusals, ...(Object.fromEntries(answers) as Record<string, object>) },
  };
}

function parametersOf(route: Route, schemaOf: SchemaOf): object[] {
  const id = /\{(\w+)\}/.exec(route.path)?.[1];
  const query = route.query ? schemaOf(route.query, 'output')['properties'] : {};
  return [
    ...(id === undefined ? [] : [{ name: id, in: 'path', required: true, schema: { type: 'string', maxLength: 64 } }]),
    ...Object.entries(query as JsonSchema).map(([name, schema]) => ({ name, in: 'query', schema })),
    ...(route.key === undefined ? [] : [parameter(`${route.key}Key`)]),
    ...(route.answers[200]?.body === 'event-stream' ? [parameter('lastEventId')] : []),
    parameter('trace'),
    parameter('requestId'),
  ];
}

function success({ body, headers: own = [] }: RouteAnswer, schemaOf: SchemaOf) {
  const content =
    body === 'event-stream'
      ? { 'text/event-stream': { schema: { type: 'string' } } }
      : body && { 'application/json': { schema: schemaOf(body) } };
  return { description: 'Done.', headers: headersOf(...own), ...(content && { content }) };
}

/** The route that shows it, made once. */
export function apiHandlers(): Pick<Handlers, 'showApi'> {
  const body = describeApi();
  return {
    async showApi() {
      return { status: 200, body };
    },
  };
}

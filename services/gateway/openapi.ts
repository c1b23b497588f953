import { createComponents, type JsonSchema } from '../_chassis/json-schema.ts';
import { money } from '../_chassis/money.ts';
import { adjustment, receipt, stock } from '../inventory/contract.ts';
import { newOrder, order } from '../orders/contract.ts';
import { newProduct, product, productChange } from '../products/contract.ts';
import {
  invitation,
  member,
  membership,
  newInvitation,
  newTenant,
  newUser,
  personalData,
  publicUser,
  tenant,
  user,
  userChange,
  userReplacement,
} from '../users/contract.ts';
import { routes, type Handlers } from './contract.ts';
import { createRefusals, problemSchema, type Described } from './openapi-problems.ts';
import type { Route, RouteAnswer } from './route.ts';
import { health } from './system.ts';

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
  User: { schema: user, description: 'As its owner and staff see it.' },
  PublicUser: { schema: publicUser, description: 'What everybody may know of a person.' },
  NewUser: { schema: newUser },
  UserReplacement: { schema: userReplacement, description: 'With a version, it replaces only that one.' },
  UserChange: { schema: userChange, description: 'At least one field; a preference that is null is taken out.' },
  PersonalData: { schema: personalData, description: 'What each service holds of a person, as they answer.' },
  Tenant: { schema: tenant },
  NewTenant: { schema: newTenant },
  Member: { schema: member },
  Membership: { schema: membership },
  NewInvitation: { schema: newInvitation },
  Invitation: { schema: invitation },
  Health: { schema: health },
};

const text = (description: string) => ({ description, schema: { type: 'string' } });
const headers = {
  'x-request-id': text('As it was sent, or made here.'),
  location: text('Where what was made can be read.'),
  etag: text('Strong; that of a product begins with its version, and can be sent as If-Match.'),
  'x-cache': { description: 'Where it came from.', schema: { enum: ['hit', 'miss'] } },
  'retry-after': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
  'ratelimit-policy': text(
    'The limit that this was taken from (draft-ietf-httpapi-ratelimit-headers-11): `"read";q=400;w=2`.',
  ),
  ratelimit: text('How many more there may be, and within how many seconds: `"read";r=399;t=2`.'),
  'www-authenticate': text('Bearer, and what was wrong with the token.'),
};
const headersOf = (...names: (keyof typeof headers)[]) =>
  Object.fromEntries(
    ['x-request-id', 'ratelimit-policy', 'ratelimit', ...names].map((name) => [
      name,
      { $ref: `#/components/headers/${name}` },
    ]),
  );

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
  ifNoneMatch: header('If-None-Match', 'The ETag of what you have; 304 when it is still good.', {}),
  ifMatch: header('If-Match', 'The ETag of what you have read; 412 when it has changed since.', {}),
  trace: header('traceparent', 'W3C trace context; continued.', {}),
  requestId: header('x-request-id', 'Comes back with the answer.', { pattern: '^[\\w.:-]{1,64}$' }),
};
const parameter = (name: keyof typeof parameters) => ({ $ref: `#/components/parameters/${name}` });

/** The public API as an OpenAPI 3.1 document, made of nothing but the table of routes and the problems' catalog. */
export function describeApi() {
  const { schemaOf, schemas } = createComponents(named);
  const { responsesOf, responses } = createRefusals(headersOf);
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, route] of Object.entries<Route>(routes)) {
    const operation = { operationId, ...describeRoute(route, schemaOf, responsesOf) };
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

type ResponsesOf = ReturnType<typeof createRefusals>['responsesOf'];

function describeRoute(route: Route, schemaOf: SchemaOf, responsesOf: ResponsesOf) {
  const { body, form, does } = route;
  const required = body?.safeParse(undefined).success === false;
  const kept = route.cache ? { 304: { description: 'What you have is still good.', headers: headersOf('etag') } } : {};
  const tagged = (answer: RouteAnswer): RouteAnswer =>
    route.cache ? { ...answer, headers: [...(answer.headers ?? []), 'etag'] } : answer;
  const answers = Object.entries(route.answers).map(([status, answer]) => [
    status,
    described(Number(status), tagged(answer), schemaOf),
  ]);
  return {
    summary: does,
    security: securityOf(route),
    parameters: parametersOf(route, schemaOf),
    ...(form && {
      requestBody: { required: true, content: { 'application/x-www-form-urlencoded': { schema: schemaOf(form) } } },
    }),
    ...(body && { requestBody: { required, content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: responsesOf(route, { ...kept, ...(Object.fromEntries(answers) as Record<string, Described>) }),
  };
}

/** Who may, as OpenAPI says it. Of what auth answers, only what has a 401 and takes no form looks at a token. */
function securityOf({ passedOn, permission, answers, form }: Route): object[] {
  if (passedOn) return answers[401] && !form ? [{ token: [] }] : [];
  return permission === 'anybody' ? [{}, { token: [] }] : [{ token: [] }];
}

function parametersOf(route: Route, schemaOf: SchemaOf): object[] {
  const id = /\{(\w+)\}/.exec(route.path)?.[1];
  const query = route.query ? schemaOf(route.query, 'output')['properties'] : {};
  return [
    ...(id === undefined ? [] : [{ name: id, in: 'path', required: true, schema: { type: 'string', maxLength: 64 } }]),
    ...Object.entries(query as JsonSchema).map(([name, schema]) => ({ name, in: 'query', schema })),
    ...(route.key === undefined ? [] : [parameter(`${route.key}Key`)]),
    ...(route.answers[200]?.body === 'event-stream' ? [parameter('lastEventId')] : []),
    ...(route.cache ? [parameter('ifNoneMatch')] : []),
    ...(route.condition ? [parameter('ifMatch')] : []),
    parameter('trace'),
    parameter('requestId'),
  ];
}

const contentTypes = { 'event-stream': 'text/event-stream', html: 'text/html', script: 'text/javascript' } as const;

function described(status: number, answer: RouteAnswer, schemaOf: SchemaOf): Described {
  const { body, type = 'application/json', headers: own = [] } = answer;
  const content =
    typeof body === 'string'
      ? { [contentTypes[body]]: { schema: { type: 'string' } } }
      : body && { [type]: { schema: schemaOf(body) } };
  const description = status < 400 ? 'Done.' : `Not done; the ${body === 'html' ? 'page' : 'error'} says why.`;
  return { description, headers: headersOf(...own), ...(content && { content }) };
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

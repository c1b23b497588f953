import { refusal, type Method } from '../../services/_chassis/contract.ts';
import { createComponents, type JsonSchema } from '../../services/_chassis/json-schema.ts';
import { pascal, type Found } from './found.ts';

type SchemaOf = ReturnType<typeof createComponents>['schemaOf'];

const refusals = refusal.options.map((schema) => ({ kind: schema.shape.kind.value, schema }));
/** Answered only where there is a key. */
const ofKeys: readonly string[] = ['key-reused', 'in-progress'];

const header = (name: string, description: string, required = false) => ({
  ...{ name, in: 'header', required, description },
  schema: { type: 'string' },
});
const parameters = {
  key: header(
    'idempotency-key',
    '1 to 255 printable ASCII characters. The same key and request get the same answer again, and one effect.',
    true,
  ),
  deadline: header('x-deadline', 'Epoch milliseconds after which nobody waits: the answer is then `deadline-passed`.'),
  trace: header('traceparent', 'W3C trace context; sent on with every call and event that follows from this one.'),
  requestId: header('x-request-id', 'Sent on as it came, and written into every line of the log.'),
  token: header('authorization', "The client's access token, where a person asks."),
};
const parametersOf = ({ reads }: Method) =>
  Object.keys(parameters)
    .filter((name) => name !== 'key' || !reads)
    .map((name) => ({ $ref: `#/components/parameters/${name}` }));

/** A service's methods as an OpenAPI document: how its callers ask, and what its sidecar hands to the app. */
export function describeService({ contract: { service, methods }, named }: Found) {
  const refused = refusals.map(({ kind, schema }) => [pascal(kind), { schema }] as const);
  const { schemaOf, schemas } = createComponents({ ...named, ...Object.fromEntries(refused) });
  const paths = Object.entries(methods).map(([name, method]) => [`/${name}`, operation(name, method, schemaOf)]);
  const port = { default: '3500', description: 'DAPR_HTTP_PORT' };
  return {
    openapi: '3.1.1',
    info: {
      title: service,
      version: '1',
      description: 'A "no" is an answer: 200 with a `kind`. Any other status is a failure, and counts for the breaker.',
    },
    servers: [
      {
        url: `http://127.0.0.1:{port}/v1.0/invoke/${service}/method`,
        description: 'For callers: their own sidecar, with its token in the header `dapr-api-token`.',
        variables: { port },
      },
      {
        url: 'http://127.0.0.1:{port}',
        description:
          'For the app behind it: called by its own sidecar alone, which shows APP_API_TOKEN in `dapr-api-token` and names ' +
          'the calling service in `dapr-caller-app-id`.',
        variables: { port: { default: '8080', description: 'APP_PORT' } },
      },
    ],
    paths: Object.fromEntries(paths) as Record<string, object>,
    components: { parameters, schemas },
  };
}

function operation(name: string, method: Method, schemaOf: SchemaOf) {
  const { request, reads, callers } = method;
  return {
    post: {
      operationId: name,
      summary: reads ? 'Changes nothing.' : 'Changes something, once for each idempotency key.',
      description: `Open to ${callers.join(', ')}.`,
      'x-callers': callers,
      parameters: parametersOf(method),
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(request) } } },
      responses: {
        200: { description: 'The answer.', content: { 'application/json': { schema: answers(method, schemaOf) } } },
        400: { description: 'Not a request that the contract knows.' },
        401: { description: "Does not carry the sidecar's token." },
        403: { description: 'The caller is not one of those the method is open to.' },
        500: { description: 'A failure of the service; whether it was done is not known.' },
      },
    },
  };
}

function answers({ response, reads }: Method, schemaOf: SchemaOf): JsonSchema {
  const own = schemaOf(response);
  const kinds = Array.isArray(own['oneOf']) ? (own['oneOf'] as JsonSchema[]) : [own];
  const refused = refusals.filter(({ kind }) => !reads || !ofKeys.includes(kind)).map(({ schema }) => schemaOf(schema));
  return { oneOf: [...kinds, ...refused], discriminator: { propertyName: 'kind' } };
}

import { DaprClient, HttpMethod } from '@dapr/dapr';
import { Pool } from 'undici';
import { z } from 'zod';
import { createConnect } from '../../../services/_chassis/client.ts';
import { contextHeaders, withContext, type CallContext } from '../../../services/_chassis/context.ts';
import { createSidecar } from '../../../services/_chassis/sidecar.ts';
import { echoContract } from './echo-contract.ts';
import { environment } from './environment.ts';

/** Asks the echo for a text, under a context. */
export type Ask = (text: string, context: CallContext) => Promise<string>;

const apiToken = environment.DAPR_API_TOKEN;
const { service } = echoContract;

function client(port: number): Ask {
  const sidecar = createSidecar({ port, apiToken });
  const echo = createConnect({ sidecar, grpcPort: environment.DAPR_GRPC_PORT, apiToken })(echoContract);
  return (text, context) =>
    withContext(context, async () => {
      const answer = await echo.echo({ text });
      if (answer.kind !== 'echo') throw new Error(answer.kind);
      return answer.text;
    });
}

const echoed = z.object({ text: z.string() });

function sdk(): Ask {
  const dapr = new DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(environment.DAPR_HTTP_PORT),
    daprApiToken: apiToken,
  });
  return async (text, context) => {
    const headers = contextHeaders(context);
    return echoed.parse(await dapr.invoker.invoke(service, 'echo', HttpMethod.POST, { text }, { headers })).text;
  };
}

function undici(): Ask {
  const pool = new Pool(`http://127.0.0.1:${environment.DAPR_HTTP_PORT}`, { connections: 64, pipelining: 1 });
  return async (text, context) => {
    const response = await pool.request({
      method: 'POST',
      path: `/v1.0/invoke/${service}/method/echo`,
      headers: { ...contextHeaders(context), 'content-type': 'application/json', 'dapr-api-token': apiToken },
      body: JSON.stringify({ text }),
    });
    return echoed.parse(await response.body.json()).text;
  };
}

const arms: Readonly<Record<string, () => Ask>> = {
  /** Our client at the echo itself. */
  direct: () => client(environment.BENCH_TARGET_PORT),
  /** Our client at our sidecar. */
  ours: () => client(environment.DAPR_HTTP_PORT),
  sdk,
  undici,
};

/** How this process asks, after the name of its arm. */
export function ownAsk(): Ask {
  const arm = arms[environment.BENCH_ARM];
  if (!arm) throw new Error(`there is no arm ${environment.BENCH_ARM}`);
  return arm();
}

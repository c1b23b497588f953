import { request as httpRequest } from 'node:http';

/** A request to a gateway as it is, without a client that would mend it. */
export function rawRequest(
  gatewayUrl: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
) {
  const { hostname: host, port } = new URL(gatewayUrl);
  return new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const request = httpRequest({ host, port, method, path, headers, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
      });
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.end(body);
  });
}

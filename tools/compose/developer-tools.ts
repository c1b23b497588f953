import { secretNamed, type Secrets } from '../mesh/secrets.ts';

/** The developer tools beside a mesh in containers (profile `tools`): where they are, and the secret to sign in with. */
export const developerTools = [
  { name: 'pgadmin', url: 'http://127.0.0.1:3000', user: 'admin@example.com', password: 'pgadminPassword' },
  { name: 'redis-commander', url: 'http://127.0.0.1:3001', user: 'admin', password: 'redisCommanderPassword' },
  { name: 'portainer', url: 'http://127.0.0.1:3002', user: 'admin', password: 'portainerPassword' },
] as const;

/** What each of them finds in its volume: a line for each file, with the volume, the file's name and its text. */
export function developerToolFiles(secrets: Secrets): [volume: string, name: string, text: string][] {
  const connection = { label: 'mesh', host: 'redis', port: 6379, password: secretNamed(secrets, 'redisPassword') };
  return [
    ...developerTools.map(({ name, password }): [string, string, string] => [
      name,
      'password',
      secretNamed(secrets, password),
    ]),
    ['pgadmin', 'pgpass', `postgres:5432:*:postgres:${secretNamed(secrets, 'postgresPassword')}\n`],
    // Named as its entrypoint names it, which then writes none.
    [
      'redis-commander',
      'local-production.json',
      `${JSON.stringify({ connections: [{ ...connection, dbIndex: 0 }] })}\n`,
    ],
  ];
}

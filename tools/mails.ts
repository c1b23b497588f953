// Lists what was written to people, newest last: node tools/mails.ts [to=ada@example.com] [json=1]
import { z } from 'zod';
import { connectionAdvice, databaseUrls } from './connections.ts';
import { homeAt, repository } from './mesh/home.ts';
import { withClient } from './mesh/postgres.ts';
import { styled } from './mesh/terminal.ts';
import { UserError } from './mesh/user-error.ts';

const row = z.object({
  at: z.date(),
  data: z.object({ to: z.string(), subject: z.string(), text: z.string() }),
});
export type Mail = z.output<typeof row>['data'] & { readonly at: string };

// Whoever asks for a mail says so by an event; until something sends them, the outboxes are the post office.
const writers = ['auth', 'users'];
const mails = `select created_at as at, envelope->'data' as data from outbox
  where topic = 'notifications.requests' and type like 'com.sidecart.%.mail.requested.v1'`;

/** The mails of the mesh in this home, oldest first; to one address, where one is given. */
export async function readMails(home: string, to?: string): Promise<Mail[]> {
  const url = await databaseUrls(home);
  const found = await Promise.all(
    writers.map((writer) => withClient(url(writer), async (client) => (await client.query<object>(mails)).rows)),
  );
  return found
    .flat()
    .map((one) => row.parse(one))
    .filter(({ data }) => to === undefined || data.to === to)
    .sort((a, b) => a.at.getTime() - b.at.getTime())
    .map(({ at, data }) => ({ at: at.toISOString(), ...data }));
}

/** A mail as people read it. */
export const printed = ({ at, to, subject, text }: Mail): string =>
  [`${styled('dim', at)}  ${to}`, `  ${styled('bold', subject)}`, ...text.split('\n').map((line) => `  ${line}`)].join(
    '\n',
  );

async function main(): Promise<void> {
  const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
  const found = await readMails(homeAt(repository).root, values.get('to') || undefined);
  if (values.get('json')) console.log(JSON.stringify(found, undefined, 2));
  else console.log(found.length === 0 ? 'no mail' : found.map(printed).join('\n\n'));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const advice = connectionAdvice(error) ?? (error instanceof UserError ? error.message : undefined);
    if (advice === undefined) throw error;
    console.error(advice);
    process.exitCode = 1;
  }
}

// Makes a service: node tools/new/cli.ts service=reviews [one=review]
import { repository } from '../mesh/home.ts';
import { UserError } from '../mesh/user-error.ts';
import { makeService } from './make-service.ts';
import { namesOf } from './names.ts';

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
try {
  const service = values.get('service');
  if (!service)
    throw new UserError('say its name: make new service=reviews (one=review, where one is not just without s)');
  const names = namesOf(service, values.get('one') || undefined);
  const { number, files, registers } = await makeService(repository, names);
  console.log(`services/${service} is there: ${files.length} files, ports 80${number}, 65${number}, 35${number} and so on.
It adds a ${names.one.replaceAll('-', ' ')} to each shipped order, and is named in:
  ${registers.join('\n  ')}

make check file=${service.padEnd(29)}is it sound?
make test only=services file=${service.padEnd(15)} its front door, on a real PostgreSQL
make up                                      runs it with the others (make down first, if they run)

Then read services/${service}/README.md, and make it yours: ${names.one}.ts, contract.ts, migrations/0002_….`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

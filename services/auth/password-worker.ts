import { parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { hashPassword, isPassword } from './password-hash.ts';

const task = z.object({ id: z.number(), password: z.string(), hash: z.string().nullable().optional() });

parentPort?.on('message', (message: unknown) => {
  const { id, password, hash } = task.parse(message);
  parentPort?.postMessage({ id, result: hash === undefined ? hashPassword(password) : isPassword(password, hash) });
});

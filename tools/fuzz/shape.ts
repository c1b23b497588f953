import type { Draw } from './draw.ts';
import type { Step } from './wire.ts';

/** In what is smuggled; no answer may bear it. */
export const smuggled = 'smuggled';

/** A good request. */
export const get = (id: string, more = '') =>
  `GET /api/products/1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\n${more}\r\n`;
/** What is smuggled in. */
export const inner = get(smuggled);
/** The head of an order, and its body. */
export const post = (more: string, body = '') =>
  `POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${more}\r\n${body}`;
export const chunked = 'Transfer-Encoding: chunked\r\n';

/** Makes what is said on a connection: at most so many answers may come, one by default, and none may be a success unless it may pass. */
export type Shape = (draw: Draw) => { text: string | readonly Step[]; most?: number; mayPass?: boolean };

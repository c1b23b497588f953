import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { claimsOf } from '../../tools/mesh/people.ts';
import { homeAt } from '../../tools/mesh/home.ts';
import { withClient } from '../../tools/mesh/postgres.ts';
import { readSecrets } from '../../tools/mesh/secrets.ts';
import { signIn } from '../../tools/mesh/sign-in.ts';
import { readMails } from '../../tools/mails.ts';
import { order } from '../orders/contract.ts';
import { openBrowser, type TestBrowser } from './browser.ts';
import { openShop, type Shop } from './shop.ts';

const who = { name: 'Cleo Nilsson', email: 'cleo@example.com', password: 'seven quiet herons' };
/** The stranger's own site. */
const site = createServer((_request, response) => response.end('back at Price Watch'));
let back: string;
let shop: Shop;
let browser: TestBrowser;
let url: string;
beforeAll(async () => {
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  const address = site.address();
  back = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/callback`;
  browser = await openBrowser();
  shop = await openShop();
  url = shop.mesh.gatewayUrl;
  await addStranger();
});
afterAll(async () => {
  site.close();
  await browser.close();
  await shop.close();
});

/** A client that is not of the house, so that a person has to agree to what it asks for. */
async function addStranger(): Promise<void> {
  const metadata = {
    client_name: 'Price Watch',
    redirect_uris: [back],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
  };
  await withClient(shop.mesh.databaseUrl('auth'), (client) =>
    client.query(
      `insert into oauth_clients (id, acts_in, first_party, metadata) values ('price-watch', 'main', false, $1)`,
      [metadata],
    ),
  );
}

async function fillSignIn(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill(who.email);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function linkOf(subject: RegExp): Promise<string> {
  let found: string | undefined;
  const look = async () => {
    const mails = await readMails(shop.mesh.home, who.email);
    found = /https?:\S+/.exec(mails.findLast((mail) => subject.test(mail.subject))?.text ?? '')?.[0];
    return found;
  };
  await expect.poll(look, { timeout: 20_000 }).toBeDefined();
  return found ?? '';
}

describe('a person in a browser', () => {
  it('when JavaScript is off, registers, confirms the address, signs in and allows what a stranger asks for', async () => {
    const page = await browser.openPage({ javaScript: false });
    await page.goto(`${url}/account/register`);
    await page.getByLabel('Name', { exact: true }).fill(who.name);
    await page.getByLabel('E-mail').fill(who.email);
    await page.getByLabel('New password').fill(who.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await page.goto(await linkOf(/./));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('heading', { name: 'Your address is confirmed' }).waitFor();

    const question = { client_id: 'price-watch', redirect_uri: back, response_type: 'code', scope: 'openid read' };
    const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 'mine' };
    await page.goto(`${url}/oauth/authorize?${new URLSearchParams({ ...question, ...challenge }).toString()}`);
    await fillSignIn(page);
    await page.getByText('Price Watch').waitFor();
    expect(await page.getByRole('listitem').allTextContents()).toContain('read what you may read');
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByText('back at Price Watch').waitFor();
    const answer = new URL(page.url()).searchParams;
    expect(answer.get('state')).toBe('mine');
    expect(answer.get('code')).toMatch(/^[\w-]{20,}$/);
  });

  it('when JavaScript is on, signs in at the shop, orders, sees the order shipped, and signs out', async () => {
    const page = await browser.openPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()));
    await page.goto(`${url}/shop`);
    expect(await page.getByRole('button', { name: 'Order one' }).first().isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await fillSignIn(page);
    await page.getByText(who.name).waitFor();
    expect(page.url()).toBe(`${url}/shop`);
    expect(await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).toBe('[{},{}]');
    await page.getByRole('button', { name: 'Order one' }).first().click();
    await page.locator('#order li', { hasText: 'shipped' }).waitFor();
    expect(await page.locator('#order li').allTextContents()).toEqual(['placed', 'reserved', 'paid', 'shipped']);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(problems).toEqual([]);
  });
});

describe('a person in a browser who was signed out elsewhere', () => {
  it('when signing out once more, is led back by a button, as no script may send a form', async () => {
    const page = await browser.openPage();
    await page.goto(`${url}/shop`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await fillSignIn(page);
    await page.getByText(who.name).waitFor();
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Nobody is signed in' }).waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(page.url()).toBe(`${url}/shop`);
  });

  it('when somebody else signs in there, a button signs the first out, and leads back with a code', async () => {
    const page = await browser.openPage();
    const question = {
      client_id: 'shop-page',
      redirect_uri: `${url}/shop`,
      response_type: 'code',
      scope: 'openid read',
    };
    const more = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', prompt: 'login' };
    const ask = () => page.goto(`${url}/oauth/authorize?${new URLSearchParams({ ...question, ...more }).toString()}`);
    await ask();
    await fillSignIn(page);
    await page.waitForURL(/\/shop/);
    const { peoplePassword } = (await readSecrets(homeAt(shop.mesh.home).secretsFile)) ?? {};
    await ask();
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.getByLabel('Password').fill(peoplePassword ?? '');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Somebody else was signed in here' }).waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.waitForURL(/\/shop/);
    await page.goto(`${url}/account`);
    await page.getByText('ada@example.com').waitFor();
  });
});

describe('the same person on the command line', () => {
  it('when signed in, orders and sees the order shipped', async () => {
    const token = await signIn(url, {}, { user: who.email, password: who.password, roles: ['customer'] });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/orders`, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': randomUUID() },
      body: JSON.stringify({ items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' }),
    });
    expect(response.status).toBe(201);
    const placed = order.parse(await response.json());
    expect(placed.customerId).toBe(claimsOf(token).sub);
    expect((await shop.until(placed.id, 'shipped')).status).toBe('shipped');
    expect(await shop.audit()).toEqual([]);
  });
});

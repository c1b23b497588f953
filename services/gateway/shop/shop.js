/* global btoa, crypto, document, fetch, history, location, sessionStorage, TextDecoderStream, TextEncoder, URLSearchParams */
// The shop as a client of the public API. The token is in a variable and nowhere else: a page that is loaded anew signs in
// anew, which takes no password while the session at auth lasts. Whatever comes from outside becomes text, never HTML.

const clientId = 'shop-page';
const redirectUri = `${location.origin}/shop`;
const pending = 'sidecart.sign-in';
const last = ['shipped', 'rejected', 'payment-failed', 'cancelled'];

/** @type {{ access: string, id: string } | undefined} */
let tokens;

const element = (selector) => document.querySelector(selector);
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const newSecret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

function tell(problem) {
  element('#problem').textContent = problem;
  element('#problem').hidden = problem === '';
}

function showWho(name = '') {
  element('#who').textContent = name;
  element('#sign-in').hidden = tokens !== undefined;
  element('#sign-out').hidden = tokens === undefined;
  for (const button of document.querySelectorAll('.product button')) button.disabled = tokens === undefined;
}

async function signIn() {
  const [verifier, state] = [newSecret(), newSecret()];
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state }));
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  location.assign(
    `/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: 'openid profile read write',
      state,
      code_challenge: base64url(new Uint8Array(hash)),
      code_challenge_method: 'S256',
    })}`,
  );
}

/** Turns the code that a sign-in has left in the address into tokens. */
async function finishSignIn() {
  const given = new URLSearchParams(location.search);
  const begun = JSON.parse(sessionStorage.getItem(pending) ?? 'null');
  sessionStorage.removeItem(pending);
  if (location.search !== '') history.replaceState(null, '', '/shop');
  if (!given.has('state')) return;
  if (begun === null || given.get('state') !== begun.state) throw new Error('This sign-in was not begun here.');
  if (!given.has('code')) throw new Error(given.get('error_description') ?? 'You were not signed in.');
  const response = await fetch('/oauth/token', {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      code: given.get('code'),
      code_verifier: begun.verifier,
      redirect_uri: redirectUri,
    }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error_description ?? answer.detail ?? 'You were not signed in.');
  tokens = { access: answer.access_token, id: answer.id_token };
}

function signOut() {
  const hint = tokens?.id ?? '';
  tokens = undefined;
  location.assign(
    `/oauth/sign-out?${new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: redirectUri })}`,
  );
}

/** Asks the API; a refusal is thrown as what it says. */
async function ask(path, options = {}) {
  const authorization = tokens && { authorization: `Bearer ${tokens.access}` };
  const response = await fetch(path, { ...options, headers: { ...authorization, ...options.headers } });
  if (response.ok) return response;
  if (response.status === 401) {
    tokens = undefined;
    showWho();
    throw new Error('Your sign-in has run out. Please sign in again.');
  }
  const { title, detail } = await response.json();
  throw new Error([title, detail].filter(Boolean).join('. '));
}

const price = ({ amount, currency }) =>
  new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(amount / 100);

async function showProducts() {
  const { items } = await (await ask('/api/products?limit=24')).json();
  element('#products').replaceChildren(
    ...items.map((product) => {
      const item = Object.assign(document.createElement('li'), { className: 'product' });
      const name = Object.assign(document.createElement('h2'), { textContent: product.name });
      const cost = Object.assign(document.createElement('span'), { textContent: price(product.price) });
      const kind = Object.assign(document.createElement('span'), { textContent: product.category, className: 'soft' });
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Order one' });
      button.addEventListener('click', () => attempt(() => order(product)));
      item.append(name, kind, cost, button);
      return item;
    }),
  );
}

async function order(product) {
  const response = await ask('/api/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify({ items: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' }),
  });
  const placed = await response.json();
  element('#order').hidden = false;
  element('#order h2').textContent = `${product.name}, ${price(placed.total)}`;
  element('#order p').textContent = `Order ${placed.id}`;
  element('#order ol').replaceChildren();
  await follow(placed.id);
}

/** Shows each move of an order as it happens. An EventSource could send no token, so the stream is read here. */
async function follow(orderId) {
  let seen = '0';
  for (;;) {
    const response = await ask(`/api/orders/${orderId}/events`, { headers: { 'last-event-id': seen } });
    if (response.status === 204) return;
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop();
      for (const event of events) {
        seen = /^id: ?(.*)$/m.exec(event)?.[1] ?? seen;
        const move = /^event: ?(.*)$/m.exec(event)?.[1];
        if (move === undefined) continue;
        element('#order ol').append(Object.assign(document.createElement('li'), { textContent: move }));
        if (last.includes(move)) return;
      }
    }
  }
}

async function attempt(work) {
  tell('');
  try {
    await work();
  } catch (error) {
    tell(error instanceof Error ? error.message : 'That did not work.');
  }
}

element('#sign-in').addEventListener('click', () => attempt(signIn));
element('#sign-out').addEventListener('click', signOut);
await attempt(finishSignIn);
await attempt(async () => {
  await showProducts();
  const who = tokens && (await (await ask('/oauth/userinfo')).json());
  showWho(who ? (who.name ?? who.sub) : '');
});
showWho(element('#who').textContent);

// What the scripts share: where the desk is, what its providers are told, and checks that say their names.

import assert from 'node:assert/strict';

export const URL = process.env.LAB3_URL;
const MOCK = process.env.LAB3_MOCK;

// Providers by name, each with its price in KS a token and its models by what they do.
const PROVIDERS = JSON.parse(process.env.LAB3_PROVIDERS);

export const ALICE = 'did:kaizen:alice';
export const POOR = 'did:kaizen:poor';

// What the mock says, and counts, when it is told nothing else.
export const TEXT = 'tok '.repeat(5);
export const INPUT = 7;
export const OUTPUT = 5;

// A picture of one pixel.
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const cases = [];

/** A check. One that takes a provider is run for each. */
export function check(name, run) {
  cases.push([name, run]);
}

export function model(provider, kind) {
  return PROVIDERS[provider].models[kind];
}

/** The desk's receipt names the provider, and the price of what it counted. */
export function checkReceipt(receipt, provider, output = OUTPUT) {
  assert.equal(receipt.provider, provider);
  assert.equal(Math.round(receipt.cost_gic * 1e6), PROVIDERS[provider].rate * (INPUT + output));
  assert.match(receipt.allocation_id, /^al_/);
}

/** The last request a provider got, as text. */
export async function asked() {
  const stats = await (await fetch(`${MOCK}/mock/stats`)).json();
  return JSON.stringify(stats.last.at(-1).body);
}

/** A fetch that counts. */
export function counting() {
  const counted = { requests: 0 };
  counted.fetch = (...given) => {
    counted.requests += 1;
    return fetch(...given);
  };
  return counted;
}

export async function run() {
  let failed = 0;
  for (const [name, one] of cases) {
    for (const provider of one.length > 0 ? Object.keys(PROVIDERS) : ['']) {
      try {
        await one(provider);
        console.log('ok', name, provider);
      } catch (error) {
        failed += 1;
        console.log('FAILED', name, provider);
        console.log(error);
      }
    }
  }
  process.exit(failed > 0 ? 1 : 0);
}

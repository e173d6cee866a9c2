// The official TypeScript client of Anthropic: messages.

import assert from 'node:assert/strict';

import Anthropic from '@anthropic-ai/sdk';

import { ALICE, INPUT, OUTPUT, PIXEL, POOR, TEXT, URL, asked, check, checkReceipt, counting, model, run } from './desk.mjs';

const client = new Anthropic({ baseURL: URL, apiKey: ALICE, maxRetries: 0 });
const ask = { max_tokens: 100, system: 'be kind', messages: [{ role: 'user', content: 'hello there' }] };
const tools = [{ name: 'weather', description: 'tells it', input_schema: { type: 'object', properties: { text: { type: 'string' } } } }];

function checkMessage(message, text = TEXT, reason = 'end_turn') {
  assert.deepEqual([message.role, message.stop_reason], ['assistant', reason]);
  assert.deepEqual(message.content.map((block) => [block.type, block.text]), [['text', text]]);
}

check('message', async (provider) => {
  const message = await client.messages.create({ model: model(provider, 'plain'), ...ask });
  checkMessage(message);
  assert.deepEqual([message.usage.input_tokens, message.usage.output_tokens], [INPUT, OUTPUT]);
  checkReceipt(message.lab3, provider);
});

check('message_stream', async (provider) => {
  const events = [];
  for await (const event of await client.messages.create({ model: model(provider, 'plain'), stream: true, ...ask })) {
    events.push(event);
  }
  const said = events.filter((event) => event.type === 'content_block_delta').map((event) => event.delta.text);
  assert.deepEqual([said.join(''), events[0].type, events.at(-1).type], [TEXT, 'message_start', 'message_stop']);
  checkReceipt(events.find((event) => event.type === 'message_delta').lab3, provider);
});

check('message_stream_helper', async (provider) => {
  let text = '';
  const stream = client.messages.stream({ model: model(provider, 'plain'), ...ask }).on('text', (delta) => {
    text += delta;
  });
  checkMessage(await stream.finalMessage());
  assert.equal(text, TEXT);
});

check('ends_at_the_limit', async (provider) => {
  checkMessage(await client.messages.create({ model: model(provider, 'plain'), ...ask, max_tokens: 3 }), 'tok '.repeat(3), 'max_tokens');
});

check('tools_and_back', async (provider) => {
  const asks = { model: model(provider, 'tools'), tools, ...ask };
  const whole = await client.messages.create(asks);
  const streamed = await client.messages.stream(asks).finalMessage();
  for (const message of [whole, streamed]) {
    assert.equal(message.stop_reason, 'tool_use');
    assert.deepEqual(message.content.map((block) => block.input), [{ text: 'tok tok ' }, { text: 'tok tok ' }]);
    assert.equal(new Set(message.content.map((block) => block.id)).size, 2);
  }
  const results = whole.content.map((call, at) => ({ type: 'tool_result', tool_use_id: call.id, content: `result ${at}` }));
  const messages = [...ask.messages, { role: 'assistant', content: whole.content }, { role: 'user', content: results }];
  checkMessage(await client.messages.create({ ...ask, model: model(provider, 'plain'), tools, messages }));
  assert.match(await asked(), /result 0.*result 1/);
});

check('image', async (provider) => {
  const source = { type: 'base64', media_type: 'image/png', data: PIXEL };
  const messages = [{ role: 'user', content: [{ type: 'image', source }, { type: 'text', text: 'what is this' }] }];
  checkMessage(await client.messages.create({ ...ask, model: model(provider, 'plain'), messages }));
  assert.ok((await asked()).includes(PIXEL));
});

check('breaks', async (provider) => {
  let text = '';
  const stream = client.messages.stream({ model: model(provider, 'breaks'), ...ask }).on('text', (delta) => {
    text += delta;
  });
  await assert.rejects(stream.finalMessage(), Anthropic.AnthropicError);
  assert.equal(text, 'tok '.repeat(3));
});

check('count_tokens', async () => {
  const { input_tokens: tokens } = await client.messages.countTokens({ model: 'auto', messages: ask.messages });
  assert.ok(tokens > 0 && tokens < 50, `${tokens} tokens`);
});

check('errors', async () => {
  const refusals = [
    ['sk-ant-somebody', 'auto', 401, 'authentication_error'],
    [ALICE, 'claude-unknown-1', 404, 'not_found_error'],
    // Who cannot pay is told so once: this client does not try again.
    [POOR, 'auto', 402, 'billing_error'],
  ];
  for (const [apiKey, name, status, kind] of refusals) {
    for (const stream of [false, true]) {
      const counted = counting();
      const who = new Anthropic({ baseURL: URL, apiKey, fetch: counted.fetch });
      const refused = (error) => error instanceof Anthropic.APIError && error.status === status && error.error.error.type === kind;
      await assert.rejects(async () => who.messages.create({ ...ask, model: name, stream }), refused);
      assert.equal(counted.requests, 1);
    }
  }
});

await run();

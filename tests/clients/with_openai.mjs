// The official TypeScript client of OpenAI: chat completions and responses.

import assert from 'node:assert/strict';

import OpenAI from 'openai';

import { ALICE, INPUT, OUTPUT, PIXEL, POOR, TEXT, URL, asked, check, checkReceipt, counting, model, run } from './desk.mjs';

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: ALICE, maxRetries: 0 });
const messages = [
  { role: 'system', content: 'be kind' },
  { role: 'user', content: 'hello there' },
];
const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'], additionalProperties: false };
const tools = [{ type: 'function', function: { name: 'weather', description: 'tells it', parameters } }];
const flatTools = [{ type: 'function', name: 'weather', description: 'tells it', parameters, strict: false }];
const wanted = [{ text: 'tok tok ' }, { text: 'tok tok ' }];
const picture = `data:image/png;base64,${PIXEL}`;

function checkCompletion(completion, provider) {
  const [choice] = completion.choices;
  assert.deepEqual([choice.message.role, choice.message.content, choice.finish_reason], ['assistant', TEXT, 'stop']);
  assert.deepEqual([completion.usage.prompt_tokens, completion.usage.completion_tokens], [INPUT, OUTPUT]);
  checkReceipt(completion.lab3, provider);
}

check('chat', async (provider) => {
  checkCompletion(await client.chat.completions.create({ model: model(provider, 'plain'), messages }), provider);
});

check('chat_stream', async (provider) => {
  let text = '';
  let last;
  const asks = { model: model(provider, 'plain'), messages, stream: true, stream_options: { include_usage: true } };
  for await (const chunk of await client.chat.completions.create(asks)) {
    text += chunk.choices[0]?.delta?.content ?? '';
    last = chunk;
  }
  assert.deepEqual([text, last.usage.total_tokens, last.choices], [TEXT, INPUT + OUTPUT, []]);
  checkReceipt(last.lab3, provider);
});

check('chat_stream_helper', async (provider) => {
  const stream = client.chat.completions.stream({ model: model(provider, 'plain'), messages });
  let text = '';
  stream.on('content', (delta) => {
    text += delta;
  });
  const completion = await stream.finalChatCompletion();
  assert.deepEqual([text, completion.choices[0].message.content], [TEXT, TEXT]);
});

check('chat_ends_at_the_limit', async (provider) => {
  const completion = await client.chat.completions.create({ model: model(provider, 'plain'), messages, max_completion_tokens: 3 });
  assert.deepEqual([completion.choices[0].message.content, completion.choices[0].finish_reason], ['tok '.repeat(3), 'length']);
});

check('chat_tools_and_back', async (provider) => {
  const asks = { model: model(provider, 'tools'), messages, tools };
  const whole = (await client.chat.completions.create(asks)).choices[0];
  const streamed = (await client.chat.completions.stream(asks).finalChatCompletion()).choices[0];
  for (const choice of [whole, streamed]) {
    const calls = choice.message.tool_calls;
    assert.equal(choice.finish_reason, 'tool_calls');
    assert.deepEqual(calls.map((call) => JSON.parse(call.function.arguments)), wanted);
    assert.equal(new Set(calls.map((call) => call.id)).size, 2);
  }
  const results = whole.message.tool_calls.map((call, at) => ({ role: 'tool', tool_call_id: call.id, content: `result ${at}` }));
  const further = [...messages, whole.message, ...results];
  checkCompletion(await client.chat.completions.create({ model: model(provider, 'plain'), messages: further, tools }), provider);
  assert.match(await asked(), /result 0.*result 1/);
});

check('chat_json', async (provider) => {
  const completion = await client.chat.completions.create({
    model: model(provider, 'json'),
    messages,
    response_format: { type: 'json_object' },
  });
  assert.deepEqual(JSON.parse(completion.choices[0].message.content), { city: 'Bonn' });
});

check('chat_image', async (provider) => {
  const content = [
    { type: 'text', text: 'what is this' },
    { type: 'image_url', image_url: { url: picture } },
  ];
  const asks = { model: model(provider, 'plain'), messages: [{ role: 'user', content }] };
  checkCompletion(await client.chat.completions.create(asks), provider);
  assert.ok((await asked()).includes(PIXEL));
});

check('chat_stream_breaks', async (provider) => {
  let text = '';
  const asks = { model: model(provider, 'breaks'), messages, stream: true };
  await assert.rejects(async () => {
    for await (const chunk of await client.chat.completions.create(asks)) {
      text += chunk.choices[0]?.delta?.content ?? '';
    }
  }, OpenAI.APIError);
  assert.equal(text, 'tok '.repeat(3));
});

check('responses', async (provider) => {
  const response = await client.responses.create({ model: model(provider, 'plain'), input: 'hello there' });
  assert.deepEqual([response.output_text, response.status, response.usage.total_tokens], [TEXT, 'completed', INPUT + OUTPUT]);
  checkReceipt(response.lab3, provider);
});

check('responses_stream', async (provider) => {
  const events = [];
  for await (const event of await client.responses.create({ model: model(provider, 'plain'), input: 'hello there', stream: true })) {
    events.push(event);
  }
  const said = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
  assert.deepEqual([said.join(''), events[0].type, events.at(-1).type], [TEXT, 'response.created', 'response.completed']);
  const response = await client.responses.stream({ model: model(provider, 'plain'), input: 'hello there' }).finalResponse();
  assert.equal(response.output_text, TEXT);
});

check('responses_tools_and_back', async (provider) => {
  const input = [{ role: 'user', content: 'hello there' }];
  const asks = { model: model(provider, 'tools'), input, tools: flatTools };
  const whole = await client.responses.create(asks);
  const streamed = await client.responses.stream(asks).finalResponse();
  for (const response of [whole, streamed]) {
    const calls = response.output.filter((item) => item.type === 'function_call');
    assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), wanted);
  }
  const results = whole.output.map((call, at) => ({ type: 'function_call_output', call_id: call.call_id, output: `result ${at}` }));
  const further = { model: model(provider, 'plain'), input: [...input, ...whole.output, ...results], tools: flatTools };
  assert.equal((await client.responses.create(further)).output_text, TEXT);
  assert.match(await asked(), /result 0.*result 1/);
});

check('models', async () => {
  const ids = [];
  for await (const one of client.models.list()) {
    ids.push(one.id);
  }
  for (const name of ['auto', 'auto:cost', 'deepseek', model('deepseek', 'plain')]) {
    assert.ok(ids.includes(name), name);
  }
});

check('without_v1_and_with_a_header', async () => {
  const plain = new OpenAI({ baseURL: URL, apiKey: 'none', defaultHeaders: { 'x-citizen-did': ALICE } });
  checkCompletion(await plain.chat.completions.create({ model: model('deepseek', 'plain'), messages }), 'deepseek');
});

check('errors', async () => {
  const refusals = [
    ['sk-somebody', 'auto', OpenAI.AuthenticationError, 401, 'L3-0033'],
    [ALICE, 'gpt-unknown', OpenAI.NotFoundError, 404, 'L3-0053'],
    // Who cannot pay is told so once: this client does not try again.
    [POOR, 'auto', OpenAI.APIError, 402, 'L3-0042'],
  ];
  for (const [apiKey, name, kind, status, code] of refusals) {
    for (const stream of [false, true]) {
      const counted = counting();
      const who = new OpenAI({ baseURL: `${URL}/v1`, apiKey, fetch: counted.fetch });
      const refused = (error) => error instanceof kind && error.status === status && error.code === code;
      await assert.rejects(async () => who.chat.completions.create({ model: name, messages, stream }), refused);
      await assert.rejects(async () => who.responses.create({ model: name, input: 'hello there', stream }), refused);
      assert.equal(counted.requests, 2);
    }
  }
});

await run();

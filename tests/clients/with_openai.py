"""The official Python client of OpenAI: chat completions and responses."""

import json

import openai
from pydantic import BaseModel

from desk import ALICE, INPUT, OUTPUT, PIXEL, POOR, SCHEMA, TEXT, URL, asked, case, check_receipt, model, run, same

client = openai.OpenAI(base_url=URL + "/v1", api_key=ALICE, max_retries=0)
slow = openai.AsyncOpenAI(base_url=URL + "/v1", api_key=ALICE, max_retries=0)

MESSAGES = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello there"}]
PARAMETERS = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "tells it", "parameters": PARAMETERS}}]
FLAT_TOOLS = [{"type": "function", "name": "weather", "description": "tells it", "parameters": PARAMETERS, "strict": False}]


class Place(BaseModel):
    city: str


def check_usage(usage, output=OUTPUT):
    same((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (INPUT, output, INPUT + output), "usage")


def check_flat_usage(usage, output=OUTPUT):
    same((usage.input_tokens, usage.output_tokens, usage.total_tokens), (INPUT, output, INPUT + output), "usage")


def check_completion(completion, provider):
    choice = completion.choices[0]
    same((choice.message.role, choice.message.content, choice.finish_reason), ("assistant", TEXT, "stop"))
    check_usage(completion.usage)
    check_receipt(completion.lab3, provider)


def joined(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def reasons(chunks):
    return [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]


@case
def chat(provider):
    completion = client.chat.completions.create(model=model(provider, "plain"), messages=MESSAGES)
    check_completion(completion, provider)
    same(completion.object, "chat.completion")


@case
async def chat_async(provider):
    check_completion(await slow.chat.completions.create(model=model(provider, "plain"), messages=MESSAGES), provider)


@case
def chat_stream(provider):
    chunks = list(client.chat.completions.create(model=model(provider, "plain"), messages=MESSAGES, stream=True))
    same((joined(chunks), reasons(chunks), chunks[0].choices[0].delta.role), (TEXT, ["stop"], "assistant"))
    same([chunk.usage for chunk in chunks if chunk.usage], [], "usage nobody asked for")
    check_receipt(chunks[-1].lab3, provider)


@case
def chat_stream_with_usage(provider):
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model=model(provider, "plain"), messages=MESSAGES, stream=True, stream_options=options)
    )
    same((joined(chunks), reasons(chunks)), (TEXT, ["stop"]))
    same([bool(chunk.usage) for chunk in chunks].count(True), 1, "chunks with usage")
    check_usage(chunks[-1].usage)
    same(chunks[-1].choices, [])


@case
async def chat_stream_async(provider):
    text = ""
    async for chunk in await slow.chat.completions.create(model=model(provider, "plain"), messages=MESSAGES, stream=True):
        text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    same(text, TEXT)


@case
def chat_stream_helper(provider):
    with client.chat.completions.stream(model=model(provider, "plain"), messages=MESSAGES) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
        completion = stream.get_final_completion()
    same((text, completion.choices[0].message.content), (TEXT, TEXT))


@case
def chat_ends_at_the_limit(provider):
    completion = client.chat.completions.create(model=model(provider, "plain"), messages=MESSAGES, max_tokens=3)
    same((completion.choices[0].message.content, completion.choices[0].finish_reason), ("tok " * 3, "length"))
    check_usage(completion.usage, 3)


@case
def chat_tool_and_back(provider):
    completion = client.chat.completions.create(model=model(provider, "tool"), messages=MESSAGES, tools=TOOLS, tool_choice="auto")
    choice = completion.choices[0]
    call = choice.message.tool_calls[0]
    same((choice.finish_reason, call.type, call.function.name), ("tool_calls", "function", "weather"))
    same(json.loads(call.function.arguments), {"text": "tok tok "})
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny in Bonn"}
    further = client.chat.completions.create(
        model=model(provider, "plain"), messages=[*MESSAGES, choice.message, result], tools=TOOLS
    )
    check_completion(further, provider)
    same("sunny in Bonn" in json.dumps(asked()["body"]), True, "the provider is told the result")


@case
def chat_parallel_tools(provider):
    wanted = [{"text": "tok tok "}, {"text": "tok tok "}]
    completion = client.chat.completions.create(model=model(provider, "tools"), messages=MESSAGES, tools=TOOLS)
    calls = completion.choices[0].message.tool_calls
    same([json.loads(call.function.arguments) for call in calls], wanted)
    same(len({call.id for call in calls}), 2, "ids of calls")
    with client.chat.completions.stream(model=model(provider, "tools"), messages=MESSAGES, tools=TOOLS) as stream:
        streamed = stream.get_final_completion().choices[0]
    same((streamed.finish_reason, [json.loads(call.function.arguments) for call in streamed.message.tool_calls]), ("tool_calls", wanted))
    results = [{"role": "tool", "tool_call_id": call.id, "content": f"result {at}"} for at, call in enumerate(calls)]
    messages = [*MESSAGES, completion.choices[0].message, *results]
    check_completion(client.chat.completions.create(model=model(provider, "plain"), messages=messages, tools=TOOLS), provider)
    told = json.dumps(asked()["body"])
    same([f"result {at}" in told for at in (0, 1)], [True, True], "the provider is told both results")


@case
def chat_json(provider):
    completion = client.chat.completions.create(
        model=model(provider, "json"), messages=MESSAGES, response_format={"type": "json_object"}
    )
    same((json.loads(completion.choices[0].message.content), completion.lab3["provider"]), ({"city": "Bonn"}, provider))


@case
def chat_structured(provider):
    completion = client.chat.completions.parse(model=model(provider, "json"), messages=MESSAGES, response_format=Place)
    same(completion.choices[0].message.parsed, Place(city="Bonn"))


@case
def chat_image(provider):
    content = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}},
    ]
    check_completion(
        client.chat.completions.create(model=model(provider, "plain"), messages=[{"role": "user", "content": content}]), provider
    )
    same(PIXEL in json.dumps(asked()["body"]), True, "the provider sees the picture")


@case
def chat_headers(provider):
    raw = client.chat.completions.with_raw_response.create(model=model(provider, "plain"), messages=MESSAGES)
    receipt = raw.parse().lab3
    same(raw.headers["x-lab3-provider"], provider)
    same(raw.headers["x-lab3-allocation-id"], receipt["allocation_id"])
    same(float(raw.headers["x-lab3-cost-gic"]), receipt["cost_gic"])
    same(float(raw.headers["x-lab3-quota-remaining-gic"]), receipt["quota_remaining_gic"])


@case
def chat_falls_back(provider):
    completion = client.chat.completions.create(model=model(provider, "fails"), messages=MESSAGES)
    same(completion.choices[0].message.content, TEXT)
    same(completion.lab3["provider"] != provider, True, "another provider answers")


@case
def chat_stream_breaks(provider):
    text = ""
    try:
        for chunk in client.chat.completions.create(model=model(provider, "breaks"), messages=MESSAGES, stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    except openai.APIError as error:
        same((text, type(error)), ("tok " * 3, openai.APIError))
    else:
        raise AssertionError("a broken stream was taken for a whole one")


@case
def chat_refused_by_the_provider(provider):
    try:
        client.chat.completions.create(model=model(provider, "refuses"), messages=MESSAGES)
    except openai.UnprocessableEntityError as error:
        same((error.status_code, error.code), (422, "L3-0074"))
    else:
        raise AssertionError("a refused query was answered")


@case
def responses(provider):
    response = client.responses.create(model=model(provider, "plain"), instructions="be kind", input="hello there")
    same((response.output_text, response.status, response.output[0].type), (TEXT, "completed", "message"))
    check_flat_usage(response.usage)
    check_receipt(response.lab3, provider)


@case
async def responses_async(provider):
    same((await slow.responses.create(model=model(provider, "plain"), input="hello there")).output_text, TEXT)


@case
def responses_stream(provider):
    events = list(client.responses.create(model=model(provider, "plain"), input="hello there", stream=True))
    same("".join(event.delta for event in events if event.type == "response.output_text.delta"), TEXT)
    same([event.sequence_number for event in events], list(range(len(events))))
    same((events[0].type, events[-1].type), ("response.created", "response.completed"))
    check_flat_usage(events[-1].response.usage)
    check_receipt(events[-1].response.lab3, provider)


@case
async def responses_stream_helper_async(provider):
    async with slow.responses.stream(model=model(provider, "plain"), input="hello there") as stream:
        response = await stream.get_final_response()
    same((response.output_text, response.status), (TEXT, "completed"))


@case
def responses_end_at_the_limit(provider):
    response = client.responses.create(model=model(provider, "plain"), input="hello there", max_output_tokens=3)
    same((response.output_text, response.status, response.incomplete_details.reason), ("tok " * 3, "incomplete", "max_output_tokens"))


@case
def responses_tools_and_back(provider):
    wanted = [{"text": "tok tok "}, {"text": "tok tok "}]
    asks = [{"role": "user", "content": "hello there"}]
    with client.responses.stream(model=model(provider, "tools"), input=asks, tools=FLAT_TOOLS) as stream:
        streamed = stream.get_final_response()
    response = client.responses.create(model=model(provider, "tools"), input=asks, tools=FLAT_TOOLS)
    for one in (streamed, response):
        calls = [item for item in one.output if item.type == "function_call"]
        same([(call.name, json.loads(call.arguments)) for call in calls], [("weather", arguments) for arguments in wanted])
        same(len({call.call_id for call in calls}), 2, "ids of calls")
    said = [item.model_dump(exclude_none=True) for item in response.output]
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": f"result {at}"} for at, call in enumerate(said)
    ]
    further = client.responses.create(model=model(provider, "plain"), input=[*asks, *said, *results], tools=FLAT_TOOLS)
    same(further.output_text, TEXT)
    told = json.dumps(asked()["body"])
    same([f"result {at}" in told for at in (0, 1)], [True, True], "the provider is told both results")


@case
def responses_structured(provider):
    if provider == "deepseek":
        # It knows no schemas, and in another dialect nothing else can be told: who knows them answers.
        form = {"format": {"type": "json_schema", "name": "place", "schema": SCHEMA}}
        response = client.responses.create(model=model(provider, "json"), input="hello there", text=form)
        same(response.lab3["provider"] != provider, True, "another provider answers")
        return
    response = client.responses.parse(model=model(provider, "json"), input="hello there", text_format=Place)
    same((response.output_parsed, response.lab3["provider"]), (Place(city="Bonn"), provider))


@case
def responses_image(provider):
    content = [{"type": "input_text", "text": "what"}, {"type": "input_image", "image_url": "data:image/png;base64," + PIXEL, "detail": "auto"}]
    response = client.responses.create(model=model(provider, "plain"), input=[{"role": "user", "content": content}])
    same((response.output_text, response.lab3["provider"]), (TEXT, provider))
    same(PIXEL in json.dumps(asked()["body"]), True, "the provider sees the picture")


@case
def responses_stream_breaks(provider):
    seen = []
    try:
        for event in client.responses.create(model=model(provider, "breaks"), input="hello there", stream=True):
            seen.append(event.type)
    except openai.APIError:
        same(seen[-1], "response.failed")
    else:
        same(seen[-1], "response.failed")


@case
def models():
    ids = [one.id for one in client.models.list()]
    wanted = ["auto", "auto:cost", "anthropic_claude", "deepseek", model("deepseek", "plain")]
    same([name for name in wanted if name not in ids], [], "models missing")


@case
def ways_to_choose():
    for name in ("auto", "auto:quality", "auto:latency", "auto:cost", "deepseek", "claude"):
        completion = client.chat.completions.create(model=name, messages=MESSAGES)
        same(completion.choices[0].message.content, TEXT)
        wanted = {"auto:cost": "deepseek", "deepseek": "deepseek", "claude": "anthropic_claude"}
        same(completion.lab3["provider"], wanted.get(name, completion.lab3["provider"]), name)


@case
def without_v1_and_with_a_header():
    plain = openai.OpenAI(base_url=URL, api_key="none", default_headers={"x-citizen-did": ALICE})
    check_completion(plain.chat.completions.create(model=model("deepseek", "plain"), messages=MESSAGES), "deepseek")
    same(plain.responses.create(model=model("deepseek", "plain"), input="hello").output_text, TEXT)
    same(len(list(plain.models.list())) > 4, True)


def counted(key):
    """A client that tries again as it likes, and the requests it makes."""
    requests = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [requests.append]})
    return openai.OpenAI(base_url=URL + "/v1", api_key=key, http_client=http), requests


def check_refused(error_class, status, code, times, key, call):
    who, requests = counted(key)
    try:
        call(who)
    except error_class as error:
        same((error.status_code, error.code), (status, code))
        same(isinstance(error.message, str) and len(error.message) > 20, True, "a message")
    else:
        raise AssertionError("it was not refused")
    same(len(requests), times, "requests made")


@case
def errors():
    def chat_with(name, **more):
        return lambda who: who.chat.completions.create(model=name, messages=MESSAGES, **more)

    def respond_with(name, **more):
        return lambda who: who.responses.create(model=name, input="hello there", **more)

    for ask in (chat_with, respond_with):
        for stream in (False, True):
            check_refused(openai.AuthenticationError, 401, "L3-0033", 1, "sk-somebody", ask("auto", stream=stream))
            check_refused(openai.NotFoundError, 404, "L3-0053", 1, ALICE, ask("gpt-unknown", stream=stream))
            # Who cannot pay is told so once: this client does not try again.
            check_refused(openai.APIStatusError, 402, "L3-0042", 1, POOR, ask("auto", stream=stream))
    check_refused(openai.BadRequestError, 400, "L3-0015", 1, ALICE, chat_with("auto", temperature="warm"))


@case
async def refused_async():
    try:
        await openai.AsyncOpenAI(base_url=URL + "/v1", api_key=POOR).chat.completions.create(model="auto", messages=MESSAGES)
    except openai.APIStatusError as error:
        same((error.status_code, error.type), (402, "insufficient_quota"))
    else:
        raise AssertionError("it was not refused")


run()

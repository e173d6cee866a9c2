"""The official Python client of Anthropic: messages."""

import json

import anthropic

from desk import ALICE, INPUT, OUTPUT, PIXEL, POOR, SCHEMA, TEXT, URL, asked, case, check_receipt, model, run, same

client = anthropic.Anthropic(base_url=URL, api_key=ALICE, max_retries=0)
slow = anthropic.AsyncAnthropic(base_url=URL, api_key=ALICE, max_retries=0)

ASK = {"max_tokens": 100, "system": "be kind", "messages": [{"role": "user", "content": "hello there"}]}
TOOLS = [{"name": "weather", "description": "tells it", "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}}}]


def check_usage(usage, output=OUTPUT):
    same((usage.input_tokens, usage.output_tokens), (INPUT, output), "usage")


def check_message(message, text=TEXT, reason="end_turn"):
    same((message.type, message.role, message.stop_reason), ("message", "assistant", reason))
    same([(block.type, block.text) for block in message.content], [("text", text)])


@case
def message(provider):
    answer = client.messages.create(model=model(provider, "plain"), **ASK)
    check_message(answer)
    check_usage(answer.usage)
    check_receipt(answer.lab3, provider)


@case
async def message_async(provider):
    check_message(await slow.messages.create(model=model(provider, "plain"), **ASK))


@case
def message_stream(provider):
    events = list(client.messages.create(model=model(provider, "plain"), stream=True, **ASK))
    types = [event.type for event in events]
    same((types[0], types[-1]), ("message_start", "message_stop"))
    same("".join(event.delta.text for event in events if event.type == "content_block_delta"), TEXT)
    last = next(event for event in events if event.type == "message_delta")
    same((last.delta.stop_reason, last.usage.output_tokens), ("end_turn", OUTPUT))
    check_receipt(last.lab3, provider)


@case
def message_stream_helper(provider):
    with client.messages.stream(model=model(provider, "plain"), **ASK) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    same(text, TEXT)
    check_message(answer)
    same(answer.usage.output_tokens, OUTPUT)


@case
async def message_stream_helper_async(provider):
    async with slow.messages.stream(model=model(provider, "plain"), **ASK) as stream:
        text = "".join([text async for text in stream.text_stream])
        check_message(await stream.get_final_message())
    same(text, TEXT)


@case
def ends_at_the_limit(provider):
    answer = client.messages.create(model=model(provider, "plain"), **{**ASK, "max_tokens": 3})
    check_message(answer, "tok " * 3, "max_tokens")
    check_usage(answer.usage, 3)


@case
def tool_and_back(provider):
    answer = client.messages.create(model=model(provider, "tool"), tools=TOOLS, tool_choice={"type": "auto"}, **ASK)
    call = next(block for block in answer.content if block.type == "tool_use")
    same((answer.stop_reason, call.name, call.input), ("tool_use", "weather", {"text": "tok tok "}))
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny in Bonn"}
    further = [*ASK["messages"], {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    check_message(client.messages.create(model=model(provider, "plain"), tools=TOOLS, **{**ASK, "messages": further}))
    same("sunny in Bonn" in json.dumps(asked()["body"]), True, "the provider is told the result")


@case
def parallel_tools(provider):
    with client.messages.stream(model=model(provider, "tools"), tools=TOOLS, **ASK) as stream:
        streamed = stream.get_final_message()
    whole = client.messages.create(model=model(provider, "tools"), tools=TOOLS, **ASK)
    for answer in (streamed, whole):
        calls = [block for block in answer.content if block.type == "tool_use"]
        same((answer.stop_reason, [call.input for call in calls]), ("tool_use", [{"text": "tok tok "}] * 2))
        same(len({call.id for call in calls}), 2, "ids of calls")
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": f"result {at}"}]}
        for at, call in enumerate(whole.content)
    ]
    further = [*ASK["messages"], {"role": "assistant", "content": whole.content}, {"role": "user", "content": results}]
    check_message(client.messages.create(model=model(provider, "plain"), tools=TOOLS, **{**ASK, "messages": further}))
    told = json.dumps(asked()["body"])
    same([f"result {at}" in told for at in (0, 1)], [True, True], "the provider is told both results")


@case
def thoughts(provider):
    with client.messages.stream(model=model(provider, "thinks"), thinking={"type": "enabled", "budget_tokens": 1024}, **{**ASK, "max_tokens": 2000}) as stream:
        answer = stream.get_final_message()
    same((answer.content[-1].text, answer.usage.output_tokens), ("tok " * 3, OUTPUT))
    if provider == "anthropic_claude":
        same([(block.type) for block in answer.content], ["thinking", "text"])
        same((answer.content[0].thinking, bool(answer.content[0].signature)), ("tok " * 2, True))


@case
def structured(provider):
    if provider != "deepseek":
        config = {"format": {"type": "json_schema", "schema": SCHEMA}}
        answer = client.messages.create(model=model(provider, "json"), output_config=config, **ASK)
        same(json.loads(answer.content[0].text), {"city": "Bonn"})


@case
def image(provider):
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "what is this"}]
    answer = client.messages.create(model=model(provider, "plain"), **{**ASK, "messages": [{"role": "user", "content": content}]})
    check_message(answer)
    check_receipt(answer.lab3, provider)
    same(PIXEL in json.dumps(asked()["body"]), True, "the provider sees the picture")


@case
def breaks(provider):
    text = ""
    try:
        with client.messages.stream(model=model(provider, "breaks"), **ASK) as stream:
            for more in stream.text_stream:
                text += more
    except anthropic.APIError:
        same(text, "tok " * 3)
    else:
        raise AssertionError("a broken stream was taken for a whole one")


@case
def refused_by_the_provider(provider):
    try:
        client.messages.create(model=model(provider, "refuses"), **ASK)
    except anthropic.UnprocessableEntityError as error:
        same(error.status_code, 422)
    else:
        raise AssertionError("a refused query was answered")


@case
def falls_back(provider):
    answer = client.messages.create(model=model(provider, "fails"), **ASK)
    check_message(answer)
    same(answer.lab3["provider"] != provider, True, "another provider answers")


@case
def count_tokens():
    short = client.messages.count_tokens(model="auto", messages=ASK["messages"], system="be kind").input_tokens
    long = client.messages.count_tokens(model="auto", messages=[{"role": "user", "content": "hello " * 500}]).input_tokens
    same(0 < short < 50 < long, True, f"{short} and {long} tokens")


@case
def a_bearer_and_a_header():
    bearer = anthropic.Anthropic(base_url=URL, auth_token=ALICE)
    check_message(bearer.messages.create(model=model("deepseek", "plain"), **ASK))
    named = anthropic.Anthropic(base_url=URL, api_key="none", default_headers={"x-citizen-did": ALICE})
    check_message(named.messages.create(model="claude", **ASK))


def check_refused(error_class, status, kind, key, **more):
    for stream in (False, True):
        requests = []
        http = anthropic.DefaultHttpxClient(event_hooks={"request": [requests.append]})
        try:
            anthropic.Anthropic(base_url=URL, api_key=key, http_client=http).messages.create(stream=stream, **{**ASK, **more})
        except error_class as error:
            same((error.status_code, error.body["error"]["type"]), (status, kind))
        else:
            raise AssertionError("it was not refused")
        same(len(requests), 1, "requests made")


@case
def errors():
    check_refused(anthropic.AuthenticationError, 401, "authentication_error", "sk-ant-somebody", model="auto")
    check_refused(anthropic.NotFoundError, 404, "not_found_error", ALICE, model="claude-unknown-1")
    check_refused(anthropic.BadRequestError, 400, "invalid_request_error", ALICE, model="auto", messages=[{"role": "nobody", "content": "hello"}])
    # Who cannot pay is told so once: this client does not try again.
    check_refused(anthropic.PaymentRequiredError, 402, "billing_error", POOR, model="auto")


@case
async def refused_async():
    try:
        async with anthropic.AsyncAnthropic(base_url=URL, api_key=POOR).messages.stream(model="auto", **ASK) as stream:
            await stream.get_final_message()
    except anthropic.PaymentRequiredError as error:
        same(error.status_code, 402)
    else:
        raise AssertionError("it was not refused")


run()

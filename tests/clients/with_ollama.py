"""The official Python client of Ollama: chat and generate."""

import json

import ollama

from desk import ALICE, INPUT, OUTPUT, PIXEL, POOR, SCHEMA, TEXT, URL, asked, case, model, run, same

client = ollama.Client(host=URL, headers={"x-citizen-did": ALICE})
slow = ollama.AsyncClient(host=URL, headers={"Authorization": "Bearer " + ALICE})

MESSAGES = [{"role": "user", "content": "hello there"}]


def weather(text: str) -> str:
    """Tells it.

    Args:
      text: where
    """
    return text


def check_end(last, output=OUTPUT, reason="stop"):
    same((last.done, last.done_reason, last.prompt_eval_count, last.eval_count), (True, reason, INPUT, output))


@case
def chat(provider):
    answer = client.chat(model=model(provider, "plain"), messages=MESSAGES)
    same((answer.message.role, answer.message.content), ("assistant", TEXT))
    check_end(answer)


@case
async def chat_async(provider):
    same((await slow.chat(model=model(provider, "plain"), messages=MESSAGES)).message.content, TEXT)


@case
def chat_stream(provider):
    lines = list(client.chat(model=model(provider, "plain"), messages=MESSAGES, stream=True))
    same("".join(line.message.content or "" for line in lines), TEXT)
    same([line.done for line in lines].count(True), 1)
    check_end(lines[-1])


@case
async def chat_stream_async(provider):
    text = ""
    async for line in await slow.chat(model=model(provider, "plain"), messages=MESSAGES, stream=True):
        text += line.message.content or ""
    same(text, TEXT)


@case
def ends_at_the_limit(provider):
    answer = client.chat(model=model(provider, "plain"), messages=MESSAGES, options={"num_predict": 3, "temperature": 0})
    same(answer.message.content, "tok " * 3)
    check_end(answer, 3, "length")


@case
def tools_and_back(provider):
    whole = client.chat(model=model(provider, "tools"), messages=MESSAGES, tools=[weather])
    lines = list(client.chat(model=model(provider, "tools"), messages=MESSAGES, tools=[weather], stream=True))
    streamed = [call for line in lines for call in line.message.tool_calls or []]
    for calls in (whole.message.tool_calls, streamed):
        same([(call.function.name, dict(call.function.arguments)) for call in calls], [("weather", {"text": "tok tok "})] * 2)
    results = [{"role": "tool", "tool_name": "weather", "content": f"result {at}"} for at in (0, 1)]
    answer = client.chat(model=model(provider, "plain"), messages=[*MESSAGES, whole.message, *results], tools=[weather])
    same(answer.message.content, TEXT)
    told = json.dumps(asked()["body"])
    same([f"result {at}" in told for at in (0, 1)], [True, True], "the provider is told both results")


@case
def structured(provider):
    if provider != "deepseek":
        answer = client.chat(model=model(provider, "json"), messages=MESSAGES, format=SCHEMA)
        same(json.loads(answer.message.content), {"city": "Bonn"})
    same(json.loads(client.chat(model=model(provider, "json"), messages=MESSAGES, format="json").message.content), {"city": "Bonn"})


@case
def image(provider):
    answer = client.chat(model=model(provider, "plain"), messages=[{"role": "user", "content": "what", "images": [PIXEL]}])
    same(answer.message.content, TEXT)
    same(PIXEL in json.dumps(asked()["body"]), True, "the provider sees the picture")


@case
def thoughts(provider):
    lines = list(client.chat(model=model(provider, "thinks"), messages=MESSAGES, think=True, stream=True))
    same("".join(line.message.content or "" for line in lines), "tok " * 3)
    check_end(lines[-1])


@case
def generate(provider):
    answer = client.generate(model=model(provider, "plain"), prompt="hello there", system="be kind")
    same(answer.response, TEXT)
    check_end(answer)
    lines = list(client.generate(model=model(provider, "plain"), prompt="hello there", stream=True))
    same("".join(line.response or "" for line in lines), TEXT)
    check_end(lines[-1])


@case
async def generate_async(provider):
    same((await slow.generate(model=model(provider, "plain"), prompt="hello there")).response, TEXT)


@case
def breaks(provider):
    text = ""
    try:
        for line in client.chat(model=model(provider, "breaks"), messages=MESSAGES, stream=True):
            text += line.message.content or ""
    except ollama.ResponseError as error:
        same((text, len(error.error) > 10), ("tok " * 3, True))
    else:
        raise AssertionError("a broken stream was taken for a whole one")


@case
def models():
    names = [one.model for one in client.list().models]
    same([name for name in ("auto", "deepseek", model("deepseek", "plain")) if name not in names], [], "models missing")


@case
def errors():
    for who, name, status in ((None, "auto", 401), (POOR, "auto", 402), (ALICE, "llama-unknown", 404)):
        other = ollama.Client(host=URL, headers={"x-citizen-did": who} if who else {})
        for stream in (False, True):
            for ask in (lambda: other.chat(model=name, messages=MESSAGES, stream=stream), lambda: other.generate(model=name, prompt="hello", stream=stream)):
                try:
                    answer = ask()
                    if stream:
                        list(answer)
                except ollama.ResponseError as error:
                    same((error.status_code, len(error.error) > 10), (status, True))
                else:
                    raise AssertionError(f"{name} was not refused")


run()

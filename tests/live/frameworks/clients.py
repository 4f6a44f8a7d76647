"""Agents of several frameworks, three turns of one conversation each, exported to skillspan.

    python stand_in_model.py &
    python clients.py pydantic-ai 5
    python clients.py openai-agents chat|responses
    python clients.py langgraph openinference|langsmith
"""
import os
import sys

os.environ.update(OPENAI_API_KEY="sk-fake", OPENAI_BASE_URL="http://127.0.0.1:18999/v1")

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TURNS = ["Read a.txt and missing.txt.", "go on", "go on"]
PROVIDER = TracerProvider(resource=Resource.create({"service.name": "live"}))
PROVIDER.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("http://127.0.0.1:18318/v1/traces")))
trace.set_tracer_provider(PROVIDER)


def read(path):
    if path == "missing.txt":
        raise FileNotFoundError("missing.txt is not there")
    return f"content of {path}"


def pydantic_ai(version):
    from pydantic_ai import Agent, ModelRetry
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.openai import OpenAIChatModel

    agent = Agent(OpenAIChatModel("stand-in-1"), name="helper")
    agent.instrument = InstrumentationSettings(tracer_provider=PROVIDER, version=int(version))

    @agent.tool_plain(retries=3)
    def read_file(path: str) -> str:
        try:
            return read(path)
        except FileNotFoundError as error:
            raise ModelRetry(str(error))

    history = None
    for turn in TURNS:
        history = agent.run_sync(turn, message_history=history).all_messages()


def openai_agents(api):
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
    from openai import AsyncOpenAI
    from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

    OpenAIAgentsInstrumentor().instrument(tracer_provider=PROVIDER)

    @function_tool
    def read_file(path: str) -> str:
        return read(path)

    model = OpenAIChatCompletionsModel("stand-in-1", AsyncOpenAI()) if api == "chat" else "stand-in-1"
    agent = Agent(name="helper", instructions="You help.", tools=[read_file], model=model)
    history = []
    for turn in TURNS:
        history = Runner.run_sync(agent, history + [{"role": "user", "content": turn}]).to_input_list()


def langgraph(exporter):
    if exporter == "openinference":
        from openinference.instrumentation.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument(tracer_provider=PROVIDER)
    else:
        os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_OTEL_ENABLED="true", LANGSMITH_OTEL_ONLY="true",
                          LANGSMITH_API_KEY="fake", LANGSMITH_ENDPOINT="http://127.0.0.1:9")
    from langchain_core.tools import tool
    from langchain_core.tracers.langchain import wait_for_all_tracers
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.memory import MemorySaver
    from langgraph.prebuilt import ToolNode, create_react_agent

    @tool
    def read_file(path: str) -> str:
        "Reads a file."
        return read(path)

    tools = ToolNode([read_file], handle_tool_errors=True)
    graph = create_react_agent(ChatOpenAI(model="stand-in-1"), tools, checkpointer=MemorySaver())
    for turn in TURNS:
        graph.invoke({"messages": [("user", turn)]}, {"configurable": {"thread_id": "thread-1"}})
    wait_for_all_tracers()


if __name__ == "__main__":
    {"pydantic-ai": pydantic_ai, "openai-agents": openai_agents, "langgraph": langgraph}[sys.argv[1]](sys.argv[2])
    PROVIDER.shutdown()

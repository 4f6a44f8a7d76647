from common import *
import sys
if sys.argv[1]=='oi':
    from openinference.instrumentation.langchain import LangChainInstrumentor
    LangChainInstrumentor().instrument(tracer_provider=provider)
else:
    os.environ.update(LANGSMITH_OTEL_ENABLED='true',LANGSMITH_TRACING='true',LANGSMITH_OTEL_ONLY='true',LANGSMITH_API_KEY='fake',LANGSMITH_ENDPOINT='http://127.0.0.1:9')
from langchain_openai import ChatOpenAI
from langchain_core.tools import tool
from langgraph.prebuilt import create_react_agent
from langgraph.checkpoint.memory import MemorySaver
@tool
def read_file(path: str) -> str:
    "reads"
    return read(path)
from langgraph.prebuilt import ToolNode
g=create_react_agent(ChatOpenAI(model='stand-in-1'),ToolNode([read_file],handle_tool_errors=True),checkpointer=MemorySaver())
for t in TURNS:
    g.invoke({'messages':[('user',t)]},{'configurable':{'thread_id':'thread-1'}})
if sys.argv[1]!='oi':
    from langchain_core.tracers.langchain import wait_for_all_tracers
    wait_for_all_tracers()
provider.shutdown()

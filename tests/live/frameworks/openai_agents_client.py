from common import *
from agents import Agent, Runner, function_tool, OpenAIChatCompletionsModel, set_default_openai_client
from openai import AsyncOpenAI
import sys
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
@function_tool
def read_file(path: str) -> str:
    return read(path)
m=OpenAIChatCompletionsModel('stand-in-1',AsyncOpenAI()) if sys.argv[1]=='chat' else 'stand-in-1'
a=Agent(name='helper',instructions='You help.',tools=[read_file],model=m)
h=[]
for t in TURNS:
    r=Runner.run_sync(a,h+[{'role':'user','content':t}]); h=r.to_input_list()
provider.shutdown()

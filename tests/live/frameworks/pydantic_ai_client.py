import sys
from common import *
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.instrumented import InstrumentationSettings
v=int(sys.argv[1])
try: st=InstrumentationSettings(tracer_provider=provider,version=v)
except Exception as e: print(e); sys.exit()
a=Agent(OpenAIChatModel('stand-in-1'),name='helper')
a.instrument=st
@a.tool_plain(retries=3)
def read_file(path: str) -> str:
    try: return read(path)
    except FileNotFoundError as e: raise ModelRetry(str(e))
h=None
for t in TURNS:
    r=a.run_sync(t,message_history=h); h=r.all_messages()
provider.shutdown()

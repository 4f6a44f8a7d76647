import json,sys,time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class H(BaseHTTPRequestHandler):
    protocol_version='HTTP/1.1'
    def log_message(self,*a): pass
    def do_POST(self):
        b=json.loads(self.rfile.read(int(self.headers['content-length'])))
        if 'responses' in self.path:
            items=b['input'] if isinstance(b['input'],list) else [{'role':'user','content':b['input']}]
            last=items[-1]; user=[i for i in items if i.get('role')=='user'][-1]['content']
            user=user if isinstance(user,str) else user[0].get('text','')
            n=len(items)
            if last.get('type')=='function_call_output' or not b.get('tools'):
                out=[{'type':'message','id':f'msg_{n}','role':'assistant','status':'completed','content':[{'type':'output_text','text':'Done: '+user,'annotations':[]}]}]
            else:
                out=[{'type':'function_call','id':f'fc_{n}_{i}','call_id':f'call_{n}_{i}','name':'read_file','arguments':json.dumps({'path':p}),'status':'completed'} for i,p in enumerate(['a.txt','missing.txt'])]
            r={'id':f'resp_{n}','object':'response','created_at':int(time.time()),'model':b['model'],'output':out,'status':'completed','parallel_tool_calls':True,'tool_choice':'auto','tools':[],'usage':{'input_tokens':10,'output_tokens':5,'total_tokens':15,'input_tokens_details':{'cached_tokens':0},'output_tokens_details':{'reasoning_tokens':0}}}
        else:
            ms=b['messages']; last=ms[-1]; user=[m for m in ms if m['role']=='user'][-1]['content']
            user=user if isinstance(user,str) else user[0].get('text','')
            n=len(ms)
            if last['role']=='tool' or not b.get('tools'): m={'role':'assistant','content':'Done: '+user}; f='stop'
            else:
                m={'role':'assistant','content':None,'tool_calls':[{'id':f'call_{n}_{i}','type':'function','function':{'name':'read_file','arguments':json.dumps({'path':p})}} for i,p in enumerate(['a.txt','missing.txt'])]}; f='tool_calls'
            r={'id':f'chatcmpl-{n}','object':'chat.completion','created':int(time.time()),'model':b['model'],'choices':[{'index':0,'message':m,'finish_reason':f}],'usage':{'prompt_tokens':10,'completion_tokens':5,'total_tokens':15}}
        d=json.dumps(r).encode(); self.send_response(200); self.send_header('content-type','application/json'); self.send_header('content-length',str(len(d))); self.end_headers(); self.wfile.write(d)
ThreadingHTTPServer(('127.0.0.1',18999),H).serve_forever()

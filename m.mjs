import {build} from 'esbuild'; import {gzipSync} from 'node:zlib';
const apart={name:'a',setup(b){b.onResolve({filter:/\/topics\.js$/},({kind})=>kind==='dynamic-import'?{path:'./djr-topics.mjs',external:true}:undefined)}};
const common={bundle:true,minify:true,target:'es2020',write:false,metafile:true,logLevel:'error',plugins:[apart]};
const size=async(o,label)=>{const r=await build({...common,...o});const t=r.outputFiles[0].contents;console.log(label,t.length,gzipSync(t,{level:9}).length);return r};
const r=await size({entryPoints:['src/browser/script.ts'],format:'iife'},'js');
await size({entryPoints:['src/browser/script.ts'],format:'iife',mangleProps:/^(told|fire|deliver|become|failed|sleep|lastId|withTopics|covered|covers|topics|look|show|role|group|verified|post|catchUp|connected_|frame|alive|changed|tick|leave_|stream|answered|asksResume|accept|stands|failures|over|asked|address|replace|stand|pace|greet|learn|leads|follows|forgetsLeader|leaves|hears|resumes|isOwn|ask|takeOver|giveWay|appear|watch|source|listeners|elected|deposed|heard|options_|tell|left_)$/},'mangled');
for(const [k,v] of Object.entries(Object.values(r.metafile.outputs)[0].inputs))console.log(' ',k,v.bytesInOutput);
if(process.argv[2])console.log(r.outputFiles[0].text);
